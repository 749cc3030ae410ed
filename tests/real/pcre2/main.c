// Finds the dates in the standard input.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <stdio.h>
#include "pcre2.h"

int main(void) {
    static unsigned char text[4096];
    size_t length = fread(text, 1, sizeof text - 1, stdin);
    int code;
    PCRE2_SIZE place;
    pcre2_code *regex = pcre2_compile((PCRE2_SPTR) "(\\d{4})-(\\d\\d)-(\\d\\d)", PCRE2_ZERO_TERMINATED,
                                      PCRE2_UTF, &code, &place, NULL);
    if (!regex)
        return 1;
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(regex, NULL);
    PCRE2_SIZE at = 0;
    while (pcre2_match(regex, text, length, at, 0, match, NULL) > 0) {
        PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
        printf("year %.*s, month %.*s\n", (int)(ends[3] - ends[2]), text + ends[2],
               (int)(ends[5] - ends[4]), text + ends[4]);
        at = ends[1];
    }
    pcre2_match_data_free(match);
    pcre2_code_free(regex);
    return 0;
}
