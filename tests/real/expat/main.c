// Prints the tree of the XML on the standard input.
#include <stdio.h>
#include "expat.h"

static int depth;

static void begin(void *unused, const XML_Char *name, const XML_Char **attributes) {
    printf("%*s%s", 2 * depth++, "", name);
    for (; *attributes; attributes += 2)
        printf(" %s=%s", attributes[0], attributes[1]);
    puts("");
}

static void end(void *unused, const XML_Char *name) { depth--; }

int main(void) {
    static char text[4096];
    size_t length = fread(text, 1, sizeof text, stdin);
    XML_Parser parser = XML_ParserCreate(NULL);
    if (!parser)
        return 2;
    XML_SetElementHandler(parser, begin, end);
    if (XML_Parse(parser, text, (int)length, 1) != XML_STATUS_OK) {
        fprintf(stderr, "%s\n", XML_ErrorString(XML_GetErrorCode(parser)));
        return 1;
    }
    XML_ParserFree(parser);
    return 0;
}
