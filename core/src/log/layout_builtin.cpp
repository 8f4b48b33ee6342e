#include "log/layout.hpp"

namespace nines::log {
namespace {

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

}  // namespace

std::span<const BuiltinLayout> builtin_layouts() noexcept { return kLayouts; }

}  // namespace nines::log
