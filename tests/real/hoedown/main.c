// Turns the Markdown on the standard input into HTML.
#include <stdio.h>
#include "document.h"
#include "html.h"

int main(void) {
    static uint8_t text[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    hoedown_renderer *renderer = hoedown_html_renderer_new(0, 0);
    hoedown_document *document = hoedown_document_new(renderer, 0, 16);
    hoedown_buffer *html = hoedown_buffer_new(64);
    hoedown_document_render(document, html, text, length);
    fwrite(html->data, 1, html->size, stdout);
    return 0;
}
