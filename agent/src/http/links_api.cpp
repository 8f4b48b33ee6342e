#include "http/links_api.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "http/query.hpp"

namespace nines::agent::http {
namespace {

using links::LinkDesk;
using links::Purpose;

constexpr std::string_view kAcknowledge = "/ack/", kApprove = "/approve/";
constexpr size_t kMaxForm = 1024;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

HttpResponse page(const LinkDesk::Answer& answer) {
  HttpResponse out;
  out.status = answer.status;
  out.content_type = "text/html; charset=utf-8";
  out.headers = {{"Cache-Control", "no-store"},
                 {"Referrer-Policy", "no-referrer"},
                 {"X-Robots-Tag", "noindex, nofollow"},
                 {"X-Content-Type-Options", "nosniff"},
                 {"Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                  "frame-ancestors 'none'; base-uri 'none'"}};
  out.body =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>Nines</title><style>"
      "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem;"
      "overflow-wrap:anywhere}button,input{font:inherit;padding:.5rem 1rem;margin:.3rem 0}"
      "button{font-weight:600}</style></head><body>\n<h1>" +
      escaped(answer.title) + "</h1>\n<p>" + escaped(answer.text) + "</p>\n";
  if (!answer.button.empty()) {
    out.body +=
        "<form method=\"post\"><label>Your name (may be left empty)<br>"
        "<input name=\"name\" maxlength=\"32\" autocomplete=\"nickname\"></label><br>"
        "<button type=\"submit\">" +
        escaped(answer.button) + "</button></form>\n";
  }
  out.body += "</body></html>\n";
  return out;
}

// name=... of a form.
std::string name_in(const std::string& form) {
  if (form.size() > kMaxForm) return {};
  std::string spaced(parameter(form, "name"));
  for (char& c : spaced) c = c == '+' ? ' ' : c;
  std::string out;
  return percent_decode(spaced, out) ? out : std::string();
}

}  // namespace

AsyncHandler make_links_api(std::function<LinkDesk&()> desk, AsyncHandler next) {
  return [desk = std::move(desk), next = std::move(next)](const HttpRequest& request, Reply reply) {
    std::string_view path = request.path;
    const bool acknowledges = path.starts_with(kAcknowledge);
    if (!acknowledges && !path.starts_with(kApprove)) return next(request, std::move(reply));
    path.remove_prefix(acknowledges ? kAcknowledge.size() : kApprove.size());
    const Purpose purpose = acknowledges ? Purpose::acknowledge : Purpose::approve;
    if (request.method != "POST") return reply(page(desk().show(purpose, path)));
    desk().use(purpose, path, name_in(request.body),
               [reply](const LinkDesk::Answer& answer) { reply(page(answer)); });
  };
}

}  // namespace nines::agent::http
