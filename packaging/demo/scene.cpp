#include "scene.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace nines::demo {

namespace fs = std::filesystem;

namespace {
constexpr char kPodDir[] = "pods/shop_payments-7d9f_5e0c/payments";

std::string slo_document(const std::string& name, const std::string& service, int tier,
                         const std::string& indicator, const std::string& objective) {
  return "---\napiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: " + name +
         "\n  labels: {tier: \"" + std::to_string(tier) + "\"}\nspec:\n  service: " + service +
         "\n  budgetingMethod: Occurrences\n  timeWindow: [{duration: 1d, isRolling: true}]\n" +
         "  indicator:\n    metadata: {name: " + name + "-indicator}\n    spec:\n" + indicator +
         "  objectives: [" + objective + "]\n";
}

std::string metric(const std::string& key, const std::string& source, const std::string& where) {
  return "        " + key + ": {metricSource: {type: nines.log, spec: {" + source + ", where: \"" +
         where + "\"}}}\n";
}

std::string ratio(const std::string& source, const std::string& good, const std::string& total) {
  return "      ratioMetric:\n        counter: false\n" + metric("good", source, good) +
         metric("total", source, total);
}

std::string threshold(const std::string& source, const std::string& where,
                      const std::string& value) {
  return "      thresholdMetric:\n        metricSource:\n          type: nines.log\n"
         "          spec: {" +
         source + ", where: \"" + where + "\", value: " + value + ", unit: ms}\n";
}

bool write_file(const fs::path& path, const std::string& text, std::string& error) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  const bool ok = file && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file && std::fclose(file) == 0 && ok) return true;
  error = "cannot write " + path.string() + ": " + std::strerror(errno);
  return false;
}
}  // namespace

LogFile::~LogFile() {
  if (file_) std::fclose(file_);
}

bool LogFile::open(const char* mode) {
  file_ = std::fopen(path_.c_str(), mode);
  bytes_ = 0;
  return file_ != nullptr;
}

bool LogFile::write(const std::string& text) {
  if (!file_ && !open("ab")) return false;
  bytes_ += text.size();
  return std::fwrite(text.data(), 1, text.size(), file_) == text.size() && std::fflush(file_) == 0;
}

bool LogFile::rotate() {
  std::error_code error;
  if (rotation_ == Rotation::copytruncate) {
    fs::copy_file(path_, path_ + ".1", fs::copy_options::overwrite_existing, error);
    if (error) return false;
    fs::resize_file(path_, 0, error);  // ours is open for append: the next write starts at 0
    bytes_ = 0;
    return !error;
  }
  // The kubelet's names carry the time; one fixed name is enough here and needs no cleaning up.
  const std::string old = path_ + (rotation_ == Rotation::kubelet ? ".20261121-000000" : ".1");
  fs::rename(path_, old, error);
  if (error) return false;
  std::fclose(file_);
  file_ = nullptr;
  return open("ab");
}

std::unique_ptr<Scene> Scene::create(const SceneOptions& options, std::string& error) {
  std::unique_ptr<Scene> scene(new Scene(options));
  std::error_code code;
  fs::create_directories(fs::path(options.dir) / "slos", code);
  fs::create_directories(fs::path(options.dir) / kPodDir, code);
  fs::create_directories(fs::path(options.dir) / "nginx", code);
  if (code) {
    error = "cannot make folders in " + options.dir + ": " + code.message();
    return nullptr;
  }
  if (!scene->write_configuration(error)) return nullptr;
  scene->services_.reserve(3);
  scene->add("web", LineFormat::nginx, 1.0, "nginx/access.log", Rotation::rename, 0.06);
  scene->add("orders", LineFormat::json, 0.5, "orders.log", Rotation::copytruncate, 0.10);
  scene->add("payments", LineFormat::cri, 0.25, std::string(kPodDir) + "/0.log", Rotation::kubelet,
             0.45);
  return scene;
}

void Scene::add(const char* name, LineFormat format, double share, const std::string& file,
                Rotation rotation, double error_share) {
  TrafficOptions traffic;
  traffic.seed = options_.seed + services_.size();
  traffic.start_ns = options_.start_ns;
  traffic.rate = options_.rate * share;
  traffic.swing = 0.6;
  traffic.day_s = options_.day_s;
  // The outage of each day: the payment provider is down, and who depends on it feels it.
  const auto at = [&](double day) {
    return options_.start_ns + static_cast<int64_t>(day * options_.day_s * 1e9);
  };
  for (int day = 0; day < 1000; ++day) {
    traffic.outages.push_back({at(day + 0.25), at(day + 0.40), error_share, 5});
  }
  services_.push_back({Traffic(traffic), LineWriter(format, name),
                       std::make_unique<LogFile>(options_.dir + "/" + file, rotation), Request{}});
  services_.back().traffic.next(services_.back().next);
}

bool Scene::write_configuration(std::string& error) const {
  const fs::path dir = fs::absolute(options_.dir);
  const std::string web = "source: web", orders = "source: orders", payments = "source: payments";
  const std::string node =
      "node: demo\nsources:\n  - name: web\n    service: web\n    format: nginx\n"
      "    paths: [\"" +
      (dir / "nginx/access.log").string() +
      "\"]\n"
      "  - name: orders\n    service: orders\n    format: json\n"
      "    paths: [\"" +
      (dir / "orders.log").string() +
      "\"]\n"
      "  - name: payments\n    service: payments\n"
      "    paths: [\"" +
      (dir / kPodDir / "0.log").string() + "\"]\n";
  const std::string documents =
      slo_document("web-availability", "web", 1,
                   ratio(web, "status < 500", "path NOT LIKE '/healthz%'"),
                   "{displayName: answered, target: 0.995}") +
      slo_document("web-latency", "web", 2, threshold(web, "status < 500", "duration_ms"),
                   "{displayName: fast, op: lte, value: 250, target: 0.95}") +
      slo_document("orders-availability", "orders", 1,
                   ratio(orders, "status < 500", "status IS NOT NULL"),
                   "{displayName: answered, target: 0.99}") +
      slo_document("payments-errors", "payments", 1,
                   ratio(payments, "level < 'ERROR'", "level IS NOT NULL"),
                   "{displayName: no error logged, target: 0.99}");
  return write_file(dir / "slos/shop.yaml", documents, error) &&
         write_file(dir / "nines.yaml", node, error);
}

bool Scene::play_until(int64_t now_ns) {
  for (auto& service : services_) {
    buffer_.clear();
    while (service.next.ts_ns <= now_ns) {
      service.writer.append(service.next, buffer_);
      service.traffic.next(service.next);
    }
    if (!buffer_.empty() && !service.file->write(buffer_)) return false;
    if (service.file->bytes() >= options_.rotate_bytes && !service.file->rotate()) return false;
  }
  return true;
}

}  // namespace nines::demo
