;;; atnas-mode.el --- Search spaces of neural networks  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; Highlighting of .atnas files, and the language server `atnas lsp` for Eglot (`M-x eglot').

;;; Code:

(defvar eglot-server-programs)

(defvar atnas-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "<" table)
    (modify-syntax-entry ?\n ">" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?' "." table)
    table))

(defconst atnas-font-lock-keywords
  `((,(rx symbol-start (or "op" "cell" "space" "tasks" "train" "search" "experiment") symbol-end
          (+ blank) (group symbol-start (any alpha ?_) (* (or word ?_))))
     (1 font-lock-function-name-face))
    (,(rx (group symbol-start (any alpha ?_) (* (or word ?_))) (* blank) (or (seq "=" (not (any "="))) "~"))
     (1 font-lock-variable-name-face))
    (,(rx symbol-start
          (or "use" "extern" "op" "cell" "space" "tasks" "train" "search" "experiment" "require" "maximize" "minimize"
              "if" "and" "in" "of" "step" "for")
          symbol-end)
     . font-lock-keyword-face)
    (,(rx symbol-start (or "true" "false") symbol-end) . font-lock-constant-face)
    (,(rx symbol-start (+ digit) (? "." (+ digit)) (? (any "eE") (? (any "+-")) (+ digit)) (? (or "%" (+ word))))
     . font-lock-constant-face)))

;;;###autoload
(define-derived-mode atnas-mode prog-mode "atnas"
  "Search spaces of neural networks."
  (setq-local comment-start "# ")
  (setq-local comment-start-skip "#+ *")
  (setq-local indent-tabs-mode nil)
  (setq-local font-lock-defaults '(atnas-font-lock-keywords)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.atnas\\'" . atnas-mode))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '(atnas-mode "atnas" "lsp")))

(provide 'atnas-mode)
;;; atnas-mode.el ends here
