// Names in the paths of container logs. L7 and the shapes are the kubelet's own.
#include <catch2/catch.hpp>

#include "nines/collector/pipeline.hpp"

using namespace nines::collector;

TEST_CASE("Container paths give namespace, pod, uid, container and restart count", "[collector]") {
  const auto path = parse_container_path(
      "/var/log/pods/kube-system_coredns-5d_49cc7c1f-d3ff-4c51-b4cb-5a4c2ee1d0a1/coredns/3.log");
  REQUIRE(path);
  CHECK(path->ns == "kube-system");
  CHECK(path->pod == "coredns-5d");
  CHECK(path->uid == "49cc7c1f-d3ff-4c51-b4cb-5a4c2ee1d0a1");
  CHECK(path->container == "coredns");
  CHECK(path->restart == 3);
}

TEST_CASE("Container paths keep the restart count through the kubelet's rotation", "[collector]") {
  for (const char* file : {"1.log.20250219-233547", "1.log.20250219-233547.gz", "1.log.gz",
                           "1.log.20250219-233547.tmp", "1.log"}) {
    CAPTURE(file);
    const std::string name = std::string("/var/log/pods/a_b_c/kube-scheduler44/") + file;
    const auto path = parse_container_path(name);
    REQUIRE(path);
    CHECK(path->container == "kube-scheduler44");
    CHECK(path->restart == 1);
  }
}

TEST_CASE("A static pod's uid is the hash of its manifest", "[collector]") {
  const auto path = parse_container_path(
      "/var/log/pods/kube-system_kube-apiserver-cp1_a1b2c3d4e5f60718293a4b5c6d7e8f90/"
      "kube-apiserver/0.log");
  REQUIRE(path);
  CHECK(path->uid == "a1b2c3d4e5f60718293a4b5c6d7e8f90");
  CHECK(path->pod == "kube-apiserver-cp1");
}

TEST_CASE("Links in /var/log/containers give all but uid and restart count", "[collector]") {
  const auto link = parse_container_path("/var/log/containers/web-1_shop_side-car-0123abc.log");
  REQUIRE(link);
  CHECK(link->ns == "shop");
  CHECK(link->pod == "web-1");
  CHECK(link->container == "side-car");
  CHECK(link->uid.empty());
  CHECK_FALSE(link->restart);
}

TEST_CASE("Container paths with odd names are read or refused, never misread", "[collector]") {
  // Pod names may have dots; a node's log folder may be mounted below another.
  const auto dotted = parse_container_path("/host/var/log/pods/n_web.v1.2-x_u-1/c/10.log");
  REQUIRE(dotted);
  CHECK(dotted->pod == "web.v1.2-x");
  CHECK(dotted->restart == 10);
  const auto nested = parse_container_path("/srv/pods/var/log/pods/n_p_u/c/0.log");
  REQUIRE(nested);
  CHECK(nested->ns == "n");
  const auto other = parse_container_path("/var/log/pods/n_p_u/c/current.log");
  REQUIRE(other);
  CHECK_FALSE(other->restart);
  for (const char* bad :
       {"/var/log/nginx/access.log", "/var/log/pods/n_p_u/c", "/var/log/pods/n_p/c/0.log",
        "/var/log/pods/__/c/0.log", "/var/log/pods/n_p_u_x/c/0.log", "/var/log/pods/N_p_u/c/0.log",
        "/var/log/pods/n_p_u//0.log", "/var/log/containers/web_shop.log",
        "/var/log/containers/web-1_shop_-0123.log", "/var/log/containers/a_b_c-1/x.log", "",
        "/pods/", "/containers/"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_container_path(bad));
  }
  CHECK_FALSE(parse_container_path("/var/log/pods/n_p_u/c/-1.log")->restart);
  CHECK_FALSE(parse_container_path("/var/log/pods/n_p_u/c/99999999999.log")->restart);
  CHECK_FALSE(parse_container_path("/var/log/pods/n_p_u/c/")->restart);
}

TEST_CASE("A path that begins with the folder of the containers is one of theirs", "[collector]") {
  const auto pod = parse_container_path("pods/shop_pay-7c9f6-bbbbb_u-1/pay/0.log");
  REQUIRE(pod);
  CHECK(pod->pod == "pay-7c9f6-bbbbb");
  CHECK(pod->container == "pay");
  const auto link = parse_container_path("containers/web-1_shop_side-car-0123abc.log");
  REQUIRE(link);
  CHECK(link->container == "side-car");
  CHECK_FALSE(parse_container_path("mypods/shop_pay-7c9f6-bbbbb_u-1/pay/0.log"));
}
