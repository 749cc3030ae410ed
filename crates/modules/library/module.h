/* How a function of a module is declared. A header serves three ways of linking:
 *
 *   WEIGHTWARE_LINK_STATIC  the module's sources are compiled with the program;
 *   WEIGHTWARE_EXPORT       a module is compiled by itself, and exports its functions;
 *   neither                 the program imports the functions: (import "sorting" "sort_i32" ...).
 */
#ifndef WEIGHTWARE_MODULE_H
#define WEIGHTWARE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(WEIGHTWARE_LINK_STATIC)
#define WEIGHTWARE_FUNCTION(module, name)
#elif defined(WEIGHTWARE_EXPORT)
#define WEIGHTWARE_FUNCTION(module, name) __attribute__((export_name(#name)))
#else
#define WEIGHTWARE_FUNCTION(module, name) __attribute__((import_module(module), import_name(#name)))
#endif

#define WEIGHTWARE_INLINE static inline __attribute__((always_inline))

/* Memory in which values of other types lie. */
typedef int32_t __attribute__((may_alias)) aliased_i32;
typedef uint32_t __attribute__((may_alias)) aliased_u32;
typedef int64_t __attribute__((may_alias)) aliased_i64;
typedef uint64_t __attribute__((may_alias)) aliased_u64;

#endif
