// Runs the SQL on the standard input, in a database in memory.
#include <stdio.h>
#include "sqlite3.h"

static int row(void *unused, int count, char **values, char **names) {
    for (int at = 0; at < count; at++)
        printf("%s%s", at ? "|" : "", values[at] ? values[at] : "");
    puts("");
    return 0;
}

int main(void) {
    static char sql[1 << 14];
    fread(sql, 1, sizeof sql - 1, stdin);
    sqlite3 *database;
    char *problem = NULL;
    // No memory is set aside: neither for small allocations nor for pages.
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    if (sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL)) {
        fprintf(stderr, "%s\n", sqlite3_errmsg(database));
        return 2;
    }
    if (sqlite3_exec(database, sql, row, NULL, &problem)) {
        fprintf(stderr, "%s\n", problem);
        return 1;
    }
    sqlite3_close(database);
    return 0;
}
