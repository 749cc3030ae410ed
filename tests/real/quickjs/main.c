// Runs the JavaScript on the standard input.
#include <stdio.h>
#include "quickjs.h"

static JSValue print(JSContext *context, JSValueConst self, int count, JSValueConst *values) {
    for (int at = 0; at < count; at++) {
        const char *text = JS_ToCString(context, values[at]);
        if (!text)
            return JS_EXCEPTION;
        printf("%s%s", at ? " " : "", text);
        JS_FreeCString(context, text);
    }
    puts("");
    return JS_UNDEFINED;
}

int main(void) {
    static char text[1 << 14];
    size_t length = fread(text, 1, sizeof text - 1, stdin);
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *context = runtime ? JS_NewContext(runtime) : NULL;
    if (!context)
        return 2;
    JSValue global = JS_GetGlobalObject(context);
    JS_SetPropertyStr(context, global, "print", JS_NewCFunction(context, print, "print", 1));
    JS_FreeValue(context, global);
    JSValue value = JS_Eval(context, text, length, "input", JS_EVAL_TYPE_GLOBAL);
    if (JS_IsException(value)) {
        const char *problem = JS_ToCString(context, JS_GetException(context));
        fprintf(stderr, "%s\n", problem ? problem : "?");
        return 1;
    }
    return 0;
}
