//! Counts the words of the standard input.
const std = @import("std");

fn before(_: void, left: []const u8, right: []const u8) bool {
    return std.mem.lessThan(u8, left, right);
}

pub fn main(init: std.process.Init) !void {
    var in_buffer: [256]u8 = undefined;
    var in = std.Io.File.stdin().reader(init.io, &in_buffer);
    const text = try in.interface.allocRemaining(init.gpa, .unlimited);
    var words: std.StringArrayHashMapUnmanaged(usize) = .empty;
    var parts = std.mem.tokenizeAny(u8, text, " \n");
    while (parts.next()) |word| {
        const entry = try words.getOrPutValue(init.gpa, word, 0);
        entry.value_ptr.* += 1;
    }
    const keys = try init.gpa.dupe([]const u8, words.keys());
    std.mem.sort([]const u8, keys, {}, before);
    var out_buffer: [256]u8 = undefined;
    var out = std.Io.File.stdout().writer(init.io, &out_buffer);
    for (keys) |word| {
        try out.interface.print("{s} {d}\n", .{ word, words.get(word).? });
    }
    try out.interface.flush();
}
