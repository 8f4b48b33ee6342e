#include "scope.hpp"

#include <algorithm>

namespace nines::query {

bool same_tree(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.negated != b.negated || a.detail != b.detail || a.escape != b.escape ||
      a.function != b.function || a.text != b.text || a.kids.size() != b.kids.size() ||
      a.value.kind != b.value.kind) {
    return false;
  }
  const bool number = a.value.kind == ValueKind::number || a.value.kind == ValueKind::boolean;
  if (number && (a.value.mantissa != b.value.mantissa || a.value.exponent != b.value.exponent)) {
    return false;
  }
  return std::equal(a.kids.begin(), a.kids.end(), b.kids.begin(),
                    [](const NodePtr& x, const NodePtr& y) { return same_tree(*x, *y); });
}

NodePtr field_node(std::string_view name, size_t offset) {
  auto node = std::make_unique<Node>();
  node->kind = NodeKind::field;
  node->offset = offset;
  node->text = name;
  return node;
}

void each_field(NodePtr& tree, const std::function<void(NodePtr&)>& visit) {
  if (tree->kind == NodeKind::field) return visit(tree);
  for (NodePtr& kid : tree->kids) each_field(kid, visit);
}

void replace_trees(NodePtr& tree, const std::function<NodePtr(const Node&)>& replace) {
  if (NodePtr other = replace(*tree)) {
    tree = std::move(other);
    return;
  }
  for (NodePtr& kid : tree->kids) replace_trees(kid, replace);
}

bool mentions(const Node& tree, const std::function<bool(const std::string&)>& is) {
  if (tree.kind == NodeKind::field) return is(tree.text);
  return std::any_of(tree.kids.begin(), tree.kids.end(),
                     [&](const NodePtr& kid) { return mentions(*kid, is); });
}

std::string readable(const Node& tree) {
  if (tree.kind == NodeKind::field) return tree.text;
  std::string out = expr::print_tree(tree);
  for (const std::string& name : expr::fields_of(tree)) {
    if (name.find('(') == std::string::npos) continue;
    const std::string quoted = expr::print_tree(*field_node(name, 0));
    for (size_t at = 0; (at = out.find(quoted, at)) != std::string::npos; at += name.size()) {
      out.replace(at, quoted.size(), name);
    }
  }
  return out;
}

std::string item_name(const ItemSyntax& item) {
  return item.alias.empty() ? readable(*item.tree) : item.alias;
}

void expand_aliases(NodePtr& tree, const std::vector<ItemSyntax>& items) {
  each_field(tree, [&](NodePtr& field) {
    for (const ItemSyntax& item : items) {
      if (item.alias.empty() || item.alias != field->text) continue;
      field = expr::clone_tree(*item.tree);
      return;
    }
  });
}

void expand_aliases_of_rows(NodePtr& tree, const std::vector<ItemSyntax>& items,
                            const std::vector<AggregateSyntax>& aggregates) {
  each_field(tree, [&](NodePtr& field) {
    for (const ItemSyntax& item : items) {
      if (item.alias.empty() || item.alias != field->text) continue;
      const bool unfit = mentions(*item.tree, [&](const std::string& name) {
        return name == item.alias || std::any_of(aggregates.begin(), aggregates.end(),
                                                 [&](const auto& a) { return a.text == name; });
      });
      if (!unfit) field = expr::clone_tree(*item.tree);
      return;
    }
  });
}

std::string unique_name(std::string name, const std::vector<std::string>& taken) {
  if (!contains(taken, name)) return name;
  for (size_t n = 2;; ++n) {
    std::string numbered = name + "_" + std::to_string(n);
    if (!contains(taken, numbered)) return numbered;
  }
}

expr::Expression expression_of(const Node& tree) {
  const NodePtr copy = expr::clone_tree(tree);
  return expr::make_expression(*copy);
}

size_t ordinal_of(const Node& tree) {
  const bool number = tree.kind == NodeKind::literal && tree.value.kind == ValueKind::number;
  if (!number || tree.value.exponent != 0 || tree.value.mantissa < 1) return 0;
  return static_cast<size_t>(tree.value.mantissa);
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace nines::query
