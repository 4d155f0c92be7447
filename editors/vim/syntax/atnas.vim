if exists('b:current_syntax')
  finish
endif

syntax match atnasCall /\<\h\w*\ze\s*(/
syntax match atnasLayer /\(->\s*\)\@<=\h\w*\>\(\s*[:{]\)\@!/
syntax match atnasOperator /->\|\.\.\|[=!<>]=\|[|=+\-*/%<>~]/
syntax match atnasNumber /\<\d\+\(\.\d\+\)\?\([eE][+-]\?\d\+\)\?\(\h\w*\|%\)\?/
syntax match atnasError /'[^']*'\|[;&!?]\(=\)\@!/
syntax keyword atnasInclude use
syntax keyword atnasStatement require maximize minimize if
syntax keyword atnasWord of step for in and
syntax keyword atnasBoolean true false
syntax keyword atnasDeclaration extern op cell
syntax match atnasDeclaration /\<\(space\|tasks\|train\|search\|experiment\)\>/
syntax match atnasKey /\<\h\w*\ze\s*\(==\@!\|\~\)/
syntax match atnasName /\(\<\(op\|cell\|space\|tasks\|train\|search\|experiment\)\s\+\)\@<=\h\w*/
syntax region atnasString start=/"/ end=/"/ oneline
syntax match atnasComment /#.*$/ contains=@Spell
syntax match atnasDoc /##.*$/ contains=@Spell

highlight default link atnasBoolean Boolean
highlight default link atnasCall Function
highlight default link atnasComment Comment
highlight default link atnasDeclaration Structure
highlight default link atnasDoc SpecialComment
highlight default link atnasError Error
highlight default link atnasInclude Include
highlight default link atnasKey Identifier
highlight default link atnasLayer Function
highlight default link atnasName Type
highlight default link atnasNumber Number
highlight default link atnasOperator Operator
highlight default link atnasStatement Statement
highlight default link atnasString String
highlight default link atnasWord Operator

let b:current_syntax = 'atnas'
