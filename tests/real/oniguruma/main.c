// Finds the dates in the standard input.
#include <stdio.h>
#include <string.h>
#include "oniguruma.h"

int main(void) {
    static UChar text[4096];
    size_t length = fread(text, 1, sizeof text - 1, stdin);
    const UChar *pattern = (const UChar *)"(?<year>\\d{4})-(?<month>\\d\\d)-(?<day>\\d\\d)";
    OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
    regex_t *regex;
    OnigErrorInfo problem;
    onig_initialize(encodings, 1);
    if (onig_new(&regex, pattern, pattern + strlen((const char *)pattern), ONIG_OPTION_DEFAULT,
                 ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &problem) != ONIG_NORMAL)
        return 1;
    OnigRegion *region = onig_region_new();
    const UChar *at = text, *end = text + length;
    while (onig_search(regex, text, end, at, end, region, ONIG_OPTION_NONE) >= 0) {
        printf("year %.*s, month %.*s\n", region->end[1] - region->beg[1], text + region->beg[1],
               region->end[2] - region->beg[2], text + region->beg[2]);
        at = text + region->end[0];
    }
    onig_region_free(region, 1);
    onig_free(regex);
    return 0;
}
