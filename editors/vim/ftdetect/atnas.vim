autocmd BufNewFile,BufRead *.atnas setfiletype atnas
