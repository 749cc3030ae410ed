// Runs the Lua program on the standard input.
#include <stdio.h>
#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

int main(void) {
    lua_State *lua = luaL_newstate();
    if (!lua)
        return 2;
    luaL_requiref(lua, "_G", luaopen_base, 1);
    luaL_requiref(lua, "table", luaopen_table, 1);
    luaL_requiref(lua, "string", luaopen_string, 1);
    luaL_requiref(lua, "math", luaopen_math, 1);
    lua_settop(lua, 0);
    if (luaL_loadfile(lua, NULL) != LUA_OK || lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(lua, -1));
        return 1;
    }
    lua_close(lua);
    return 0;
}
