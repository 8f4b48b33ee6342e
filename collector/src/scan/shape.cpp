#include "scan/shape.hpp"

#include "nines/collector/pipeline.hpp"

namespace nines::collector {

Status look_at_head(std::string_view head, bool whole, const query::SourceRef& source,
                    ScanShape& shape) {
  shape.selector.format = source.format.empty() ? "auto" : source.format;
  shape.selector.pattern = source.pattern;
  if (shape.selector.format != "auto") {
    // A wrong name or pattern is the user's mistake, however the file looks.
    auto fixed = log::format_from_name(shape.selector.format, shape.selector.pattern);
    if (!fixed.ok()) return fixed.error();
    if (!log::wants_header(*fixed)) {
      auto parser = log::make_parser(*fixed, {}, {});
      if (!parser.ok()) return parser.error();
    }
  }
  if (const auto names = parse_container_path(shape.file.path)) {
    shape.ns = names->ns;
    shape.pod = names->pod;
    shape.container = names->container;
  }
  LogStream stream;
  stream.path = shape.file.path;
  const Reading how = whole ? Reading::last : Reading::more;
  if (!shape.format.detect(stream, head, how, shape.selector) && !head.empty()) {
    shape.format.detect(stream, head, Reading::full, shape.selector);
  }
  shape.encoding = stream.encoding;
  auto parser = log::make_parser(shape.format.format(), {}, {});
  if (!parser.ok()) return parser.error();
  shape.joined_by = shape.rule(**parser).by;
  return Ok{};
}

}  // namespace nines::collector
