# bash completion for nines: commands, options, values, and in the statement of `nines query` the
# fields of the files on the line. Source it, or put it into /usr/share/bash-completion/completions.

# Commands or options out of the help of the command so far.
_nines_help() { nines "$@" --help 2>/dev/null; }

_nines_fields() {
  local words=("$@") files=() word text
  for word in "${words[@]}"; do
    [[ -f $word ]] && files+=("$word")
    text=$word
    while [[ $text =~ files\(\'([^\']*)\' ]]; do
      files+=("${BASH_REMATCH[1]}")
      text=${text#*"${BASH_REMATCH[0]}"}
    done
  done
  nines query --complete-fields "${files[@]}" 2>/dev/null
}

_nines() {
  local current=${COMP_WORDS[COMP_CWORD]} previous="" path=() word i
  ((COMP_CWORD > 0)) && previous=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    [[ $word == [a-z]* && ${#path[@]} -lt 2 && $word != *[/.]* ]] || break
    path+=("$word")
  done
  if [[ ${path[0]} == query && ($current == [\'\"]* || $current == *\ *) ]]; then
    local text=${current#[\'\"]} last names
    last=${text##*[^A-Za-z0-9_.]}
    names=$(_nines_fields "${COMP_WORDS[@]:2}")
    local name
    while IFS= read -r name; do
      [[ -n $name && $name == "$last"* ]] && COMPREPLY+=("${text%"$last"}$name")
    done <<<"$names"
    return
  fi
  if [[ $previous == -o || $previous == --output ]]; then
    COMPREPLY=($(compgen -W "table json ndjson csv raw" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(_nines_help "${path[@]}" | grep -oE -- '--[a-z][a-z-]*' | sort -u)" -- "$current"))
  else
    local commands
    commands=$(_nines_help "${path[@]}" | sed -n '/^Subcommands:/,$p' | sed -nE 's/^  ([a-z][a-z-]*) .*/\1/p')
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
    [[ -z $commands ]] && COMPREPLY=($(compgen -f -- "$current"))
  fi
}

complete -o default -F _nines nines
