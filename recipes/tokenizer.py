"""Tokenizers of the small networks: whole lower-case words and punctuation marks are tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def words_of(texts: Iterable[str]) -> list[str]:
    """The lower-case words and punctuation marks of `texts`, sorted, each once."""
    from tokenizers import pre_tokenizers

    split = pre_tokenizers.BertPreTokenizer()
    return sorted({w for text in texts for w, _ in split.pre_tokenize_str(text.lower())})


def word_tokenizer(
    ids: Mapping[str, int], max_tokens: int, special: Mapping[str, str]
) -> PreTrainedTokenizerFast:
    """A tokenizer that puts `cls_token` before a text and `sep_token` after it.

    Args:
        ids: of all tokens, the special ones among them.
        max_tokens: of a text.
        special: `cls_token`, `sep_token`, `pad_token`, `unk_token` and others -> token.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    first, last = special["cls_token"], special["sep_token"]
    inner = Tokenizer(models.WordLevel(dict(ids), unk_token=special["unk_token"]))
    inner.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=[(first, ids[first]), (last, ids[last])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, model_max_length=max_tokens, **dict(special)
    )
