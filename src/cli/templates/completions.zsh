#compdef moviechat
# zsh completion for moviechat; made by: moviechat completions zsh
_moviechat() {
  local command=ask
  local -a specs
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    local -a names=(
@NAMES@    )
    _describe 'command' names
    return
  fi
  case $words[2] in
    (@ALTERNATIVES@) command=$words[2]; shift words; (( CURRENT-- )) ;;
  esac
  case $command in
@CASES@  esac
  _arguments -s : $specs
}
if [ "$funcstack[1]" = "_moviechat" ]; then
  _moviechat "$@"
else
  compdef _moviechat moviechat
fi
