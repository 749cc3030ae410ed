// Prints the events of the YAML on the standard input.
#include <stdio.h>
#include "yaml.h"

int main(void) {
    yaml_parser_t parser;
    yaml_event_t event;
    if (!yaml_parser_initialize(&parser))
        return 2;
    yaml_parser_set_input_file(&parser, stdin);
    for (int done = 0; !done; yaml_event_delete(&event)) {
        if (!yaml_parser_parse(&parser, &event)) {
            fprintf(stderr, "%s\n", parser.problem);
            return 1;
        }
        printf("%d", event.type);
        if (event.type == YAML_SCALAR_EVENT)
            printf(" %s", event.data.scalar.value);
        puts("");
        done = event.type == YAML_STREAM_END_EVENT;
    }
    yaml_parser_delete(&parser);
    return 0;
}
