"""A server that imitates the customer files of Kakao Moment and the consent side of Kakao, to test and demonstrate against.

It is built from the contract (kakao_moment 8, rows C1 to C13), which marks what Kakao's pages say and what nobody saw; the
latter is a switch each (:mod:`sandbox.kakao.settings`). ``with KakaoSandbox() as kakao`` runs it as a process of its own, which
``python -m sandbox.kakao`` is too.
"""

from sandbox.kakao.sandbox import KakaoSandbox

__all__ = ["KakaoSandbox"]
