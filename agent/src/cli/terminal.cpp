#include "cli/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "view/status_json.hpp"
#include "view/status_table.hpp"

namespace nines::agent {

Terminal terminal_of_stdout() {
  Terminal out;
  if (::isatty(STDOUT_FILENO) == 0) return out;
  struct winsize size {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) out.width = size.ws_col;
  const char* no_color = std::getenv("NO_COLOR");
  out.color = no_color == nullptr || *no_color == '\0';
  return out;
}

void print_status(const Snapshot& snapshot, Output output) {
  std::string text;
  switch (output) {
    case Output::json: text = view::slos_json(snapshot); break;
    case Output::ndjson: text = view::slos_ndjson(snapshot); break;
    case Output::csv: text = view::slos_csv(snapshot); break;
    case Output::table: {
      const Terminal terminal = terminal_of_stdout();
      view::TableOptions options;
      options.width = terminal.width;
      options.color = terminal.color;
      text = view::status_table(snapshot, options) + "\n" + view::sources_table(snapshot, options);
      break;
    }
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace nines::agent
