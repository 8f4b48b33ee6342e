// The layouts of well-known programs, as data: each has one or more patterns, of which the first
// that matches a line is its layout. Order matters where one could take another's lines.
#include "log/layout_builtin.hpp"

#include <algorithm>

#include "log/layout_dialects.hpp"

namespace nines::log {
namespace {

// Strictest first.
constexpr BuiltinLayout kLayouts[] = {
    {"traefik", "are Traefik access log lines", true},
    {"envoy", "are Envoy access log lines", true},
    {"haproxy", "are HAProxy log lines", true},
    {"klog", "are klog lines (Kubernetes, glog)", true},
    {"redis", "are Redis log lines", true},
    {"rabbitmq", "are RabbitMQ log lines", true},
    {"postgres", "are PostgreSQL log lines", true},
    {"spring", "are Spring Boot log lines", true},
    {"log4j", "have a default layout of log4j or logback", true},
    {"python", "have a default format of Python's logging", true},
    {"k3s", "are K3s log lines (logfmt and klog)", false},
};

enum class Dialect : uint8_t { access, text, envoy, log4j, postgres };
struct Pattern {
  std::string_view layout;
  Dialect dialect;  // access and text are our own notation; blanks are soft in text
  std::string_view pattern;
};

#define NINES_HAPROXY_HEAD                                                    \
  "<remote_addr:address!> [<ts:time=%d/%b/%Y:%H:%M:%S.%f>] <frontend:text!> " \
  "<backend:text!>/<server:text!> "
#define NINES_HAPROXY_HTTP                                                              \
  "<request_ms:number>/<queue_ms:number>/<connect_ms:number>/<response_ms:number>/"     \
  "<duration_ms:number> <status:number> <bytes:number> <request_cookie:dash!> "         \
  "<response_cookie:dash!> <termination_state:text!> <actconn:number>/<feconn:number>/" \
  "<beconn:number>/<srv_conn:number>/<retries:number> <srv_queue:number>/"              \
  "<backend_queue:number> <captures:text_>\"<message:request>\""
#define NINES_HAPROXY_TCP                                                       \
  "<queue_ms:number>/<connect_ms:number>/<duration_ms:number> <bytes:number> "  \
  "<termination_state:text!> <actconn:number>/<feconn:number>/<beconn:number>/" \
  "<srv_conn:number>/<retries:number> <srv_queue:number>/<backend_queue:number>"
#define NINES_ENVOY_HEAD                                                             \
  "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" " \
  "%RESPONSE_CODE% %RESPONSE_FLAGS% "
#define NINES_ENVOY_TAIL                                                            \
  "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% " \
  "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" "       \
  "\"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\""

constexpr Pattern kPatterns[] = {
    {"traefik", Dialect::access,
     "<remote_addr:dash> - <user:dash> [<ts:clf>] \"<message:request>\" <status:number> "
     "<bytes:number> \"<referer:dash>\" \"<user_agent:dash>\" <request_count:number> "
     "\"<router:dash>\" \"<upstream_url:dash>\" <duration_ms:number>ms"},
    {"envoy", Dialect::envoy, NINES_ENVOY_HEAD NINES_ENVOY_TAIL},
    // Istio's default.
    {"envoy", Dialect::envoy,
     NINES_ENVOY_HEAD "%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
                      "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" " NINES_ENVOY_TAIL
                      " %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
                      "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"},
    {"haproxy", Dialect::text, NINES_HAPROXY_HEAD NINES_HAPROXY_HTTP},
    {"haproxy", Dialect::text, NINES_HAPROXY_HEAD NINES_HAPROXY_TCP},
    // The same behind a syslog header: whatever stands before "]: ".
    {"haproxy", Dialect::text,
     "<syslog_header:text>[<pid:number>]: " NINES_HAPROXY_HEAD NINES_HAPROXY_HTTP},
    {"haproxy", Dialect::text,
     "<syslog_header:text>[<pid:number>]: " NINES_HAPROXY_HEAD NINES_HAPROXY_TCP},
    {"klog", Dialect::text,
     "<level:level1><ts:time=%m%d %H:%M:%S.%f> <thread_id:number> <file:text!>:<lineno:number>] "
     "<message:rest>"},
    {"klog", Dialect::text,
     "<level:level1><ts:time=%Y%m%d %H:%M:%S.%f> <thread_id:number> "
     "<file:text!>:<lineno:number>] <message:rest>"},
    {"redis", Dialect::text,
     "<pid:number>:<role:text!> <ts:time> <level:redis_level> <message:rest>"},
    {"redis", Dialect::text,
     "<pid:number>:<role:text!> <ts:time=%d %b %H:%M:%S.%f> <level:redis_level> <message:rest>"},
    {"redis", Dialect::text,
     "[<pid:number>] <ts:time=%d %b %H:%M:%S.%f> <level:redis_level> <message:rest>"},
    {"rabbitmq", Dialect::text, "<ts:time> [<level:level!>] \\<<pid:text!>\\> <message:rest>"},
    {"rabbitmq", Dialect::text,
     "=<level:level!> REPORT==== <ts:time=%d-%b-%Y::%H:%M:%S> ===\n<message:rest>"},
    {"rabbitmq", Dialect::text,
     "=<level:level!> REPORT==== <ts:time=%d-%b-%Y::%H:%M:%S.%f> ===\n<message:rest>"},
    {"postgres", Dialect::postgres, "%m [%p] "},
    // Debian's packages.
    {"postgres", Dialect::postgres, "%m [%p] %q%u@%d "},
    {"spring", Dialect::text,
     "<ts:time> <level:level!> <pid:number> --- [<service:text!_>] [<thread:text!_>] "
     "<logger:text!_> : <message:rest>"},
    {"spring", Dialect::text,
     "<ts:time> <level:level!> <pid:number> --- [<thread:text!_>] <logger:text!_> : "
     "<message:rest>"},
    {"log4j", Dialect::text,
     "<ts:time> [<thread:text>] <level:level!> <logger:text!> - <message:rest>"},
    {"log4j", Dialect::text,
     "<ts:time=%H:%M:%S.%f> [<thread:text>] <level:level!> <logger:text!> - <message:rest>"},
    {"log4j", Dialect::text,
     "<ts:time=%H:%M:%S.%f> [<thread:text>] <level:level!> <logger:text!> -- <message:rest>"},
    {"log4j", Dialect::text,
     "<ts:time> <level:level!> [<thread:text>] <logger:text!>: <message:rest>"},
    {"log4j", Dialect::text, "<ts:time> <level:level!> <logger:dotted!>: <message:rest>"},
    // Kafka.
    {"log4j", Dialect::log4j, "[%d] %p %m (%c)"},
    {"python", Dialect::text, "<ts:time> - <logger:logger!> - <level:level!> - <message:rest>"},
    {"python", Dialect::text, "<level:level!>:<logger:logger!>:<message:rest>"},
};

Result<Programs> compile(const Pattern& pattern) {
  switch (pattern.dialect) {
    case Dialect::access: return compile_native(pattern.pattern, false);
    case Dialect::text: return compile_native(pattern.pattern, true);
    case Dialect::envoy: return compile_envoy(pattern.pattern);
    case Dialect::log4j: break;
    case Dialect::postgres: return compile_postgres(pattern.pattern);
  }
  return compile_log4j(pattern.pattern);
}

}  // namespace

std::span<const BuiltinLayout> builtin_layouts() noexcept { return kLayouts; }

Result<Programs> compile_builtin(std::string_view name) {
  Programs programs;
  for (const Pattern& pattern : kPatterns) {
    if (pattern.layout != name) continue;
    NINES_TRY(Programs more, compile(pattern));
    std::move(more.begin(), more.end(), std::back_inserter(programs));
  }
  return programs;
}

}  // namespace nines::log
