// Trees against what they may name: aliases, columns, and the fields that a scan has to read.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "syntax.hpp"

namespace nines::query {

// Calls `visit` with every field node of the tree; it may replace the node.
void each_field(NodePtr& tree, const std::function<void(NodePtr&)>& visit);
// Replaces every sub-tree that `replace` takes (it gives the new one, or nullptr); outermost first.
void replace_trees(NodePtr& tree, const std::function<NodePtr(const Node&)>& replace);
bool mentions(const Node& tree, const std::function<bool(const std::string&)>& is);

// The canonical text, aggregates without the quotes of a field.
std::string readable(const Node& tree);
// What an item is called: its alias, or its text.
std::string item_name(const ItemSyntax& item);
// Replaces names that are aliases of the SELECT list by what they stand for.
void expand_aliases(NodePtr& tree, const std::vector<ItemSyntax>& items);
// The same, for WHERE: not aliases of expressions that read a field of that very name, nor those
// over aggregates.
void expand_aliases_of_rows(NodePtr& tree, const std::vector<ItemSyntax>& items,
                            const std::vector<AggregateSyntax>& aggregates);
// "n", "n_2", ... : the first that is not among `taken`.
std::string unique_name(std::string name, const std::vector<std::string>& taken);
expr::Expression expression_of(const Node& tree);
// Literal number of ORDER BY 2, GROUP BY 1; 0: it is none.
size_t ordinal_of(const Node& tree);
bool contains(const std::vector<std::string>& names, std::string_view name);

}  // namespace nines::query
