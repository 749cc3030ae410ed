// Writes a PNG of 8 by 8 pixels, and prints its bytes.
#include <stdio.h>
#include "png.h"

static void put(png_structp png, png_bytep bytes, png_size_t count) {
    for (png_size_t at = 0; at < count; at++)
        printf("%02x", bytes[at]);
}

static void flush(png_structp png) {}

int main(void) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info)
        return 1;
    png_set_write_fn(png, NULL, put, flush);
    png_set_compression_mem_level(png, 1);
    png_set_compression_window_bits(png, 9);
    png_set_IHDR(png, info, 8, 8, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, 0, 0);
    png_write_info(png, info);
    for (int y = 0; y < 8; y++) {
        png_byte row[8];
        for (int x = 0; x < 8; x++)
            row[x] = (png_byte)(32 * x + y);
        png_write_row(png, row);
    }
    png_write_end(png, info);
    puts("");
    return 0;
}
