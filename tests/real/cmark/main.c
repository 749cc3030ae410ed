// Turns the Markdown on the standard input into HTML.
#include <stdio.h>
#include "cmark.h"

int main(void) {
    static char text[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    fputs(cmark_markdown_to_html(text, length, CMARK_OPT_DEFAULT), stdout);
    return 0;
}
