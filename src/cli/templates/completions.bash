# bash completion for moviechat; made by: moviechat completions bash
_moviechat() {
  local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} words=() gap piece i
  # Bash splits words at = and :, too: what no blank parts is put together again.
  for ((i = 0; i <= COMP_CWORD; ++i)); do
    gap=${line%%[![:blank:]]*}
    line=${line#"$gap"}
    piece=${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && piece=$line
    line=${line#"$piece"}
    if ((i > 0)) && [[ ! $gap && ( $piece == [=:]* || ${words[-1]} == *[=:] ) ]]; then
      words[-1]+=$piece
    else
      words+=("$piece")
    fi
  done
  ((${#words[@]} > 1)) || return

  # --flag=word is the word of a flag; quotes and backslashes are the shell's.
  local typed=${words[-1]} previous=${words[-2]} head=
  if [[ $typed == --*=* ]]; then
    previous=${typed%%=*}
    head=$previous=
  fi
  local word=${typed#"$head"} kept= breaks=${COMP_WORDBREAKS//[!=:]/}
  local last_break="^(.*[^\\])?[$breaks]"
  if [[ $word == [\"\']* ]]; then
    word=${word:1}
    kept=$head
  else
    word=${word//\\/}
    [[ $breaks && $typed =~ $last_break ]] && kept=${BASH_REMATCH[0]//\\/}
  fi

  local command=ask action=()
  case ${words[1]} in
    @ALTERNATIVES@) ((${#words[@]} > 2)) && command=${words[1]} ;;
  esac
  case $command in
@CASES@  esac
  ((${#words[@]} == 2)) && [[ $typed != -* ]] && action=(-W '@COMMANDS@')
  COMPREPLY=()
  ((${#action[@]})) || return
  mapfile -t COMPREPLY < <(compgen "${action[@]}" -- "$word")
  [[ ${action[0]} == -[fd] ]] && compopt -o filenames 2>/dev/null
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace 2>/dev/null
  # Bash keeps what stands before the last = or :.
  COMPREPLY=("${COMPREPLY[@]/#/$head}")
  COMPREPLY=("${COMPREPLY[@]#"$kept"}")
  return 0
}
complete -F _moviechat moviechat
