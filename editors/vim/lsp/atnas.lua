-- Found by Neovim 0.11 and newer; `vim.lsp.enable('atnas')` turns it on.
return {
  cmd = { 'atnas', 'lsp' },
  filetypes = { 'atnas' },
  root_markers = { 'pyproject.toml', '.git' },
}
