"""L-BFGS, by SciPy: few parameters, all samples at once, few steps.

It remembers how the gradient changed over the last steps, and looks along each new
direction for a step that is long enough and lowers the loss.

Sources: Liu & Nocedal 1989; Byrd, Lu, Nocedal & Zhu 1995 (the code in SciPy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd import Value
from autograd.missing import missing
from autograd.spelling import spelled
from nn.layers.module import Module
from nn.optimisers.optimiser import Array, Optimiser, assign
from nn.validation import integer, nonnegative, positive


class LBFGS(Optimiser):
    """Limited-memory BFGS: give ``step`` a function that computes loss and gradients.

    Parameters
    ----------
    max_iter : iterations of one ``step``; in ``fit`` an epoch is one iteration over all
        samples, and this is not read.
    history_size : how many steps are remembered.
    tolerance_grad : stop where no partial derivative is larger.

    Every iteration takes a step that lowers the loss, of a length that is found along
    the way, so there is no learning rate. Needs SciPy, else MissingDependencyError.

    >>> from autograd import Value
    >>> from nn import LBFGS
    >>> x, y = Value(-1.0), Value(2.0)
    >>> optimiser = LBFGS([x, y], max_iter=100)
    >>> def closure():
    ...     optimiser.zero_grad()
    ...     loss = (1.0 - x) ** 2 + 100.0 * (y - x * x) ** 2
    ...     loss.backward()
    ...     return loss
    >>> optimiser.step(closure) < 1e-9, round(x.data, 4), round(y.data, 4)
    (True, 1.0, 1.0)
    """

    settings = ("max_iter", "history_size", "tolerance_grad")

    @spelled(
        {"parameters": "params", "maxiter": "max_iter", "tol": "tolerance_grad"},
        {
            "lr": "nothing: each step finds its own length",
            "learning_rate": "nothing: each step finds its own length",
            "weight_decay": "a loss with a penalty on the parameters",
            "line_search_fn": "nothing: SciPy's line search is used",
        },
    )
    def __init__(
        self,
        params: Iterable[Value] | Module,
        max_iter: int = 20,
        history_size: int = 10,
        tolerance_grad: float = 1e-7,
    ) -> None:
        super().__init__(params, lr=1.0)
        positive("max_iter", integer("max_iter", max_iter))
        positive("history_size", integer("history_size", history_size))
        self.max_iter, self.history_size = max_iter, history_size
        self.tolerance_grad = nonnegative("tolerance_grad", tolerance_grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Lower the loss that ``closure`` computes, by ``max_iter`` iterations.

        ``closure`` zeroes the gradients, runs ``backward()`` and returns the loss, as
        in PyTorch. Returns the loss at the end, a float. If anything is raised the
        parameters are as before.
        """
        if closure is None:
            raise TypeError(
                "LBFGS computes the loss several times in a step: give step() a "
                "function that zeroes the gradients, calls backward() and returns the "
                "loss"
            )
        before = [p.data for p in self.params]

        def loss_of(x: Array) -> tuple[float, Array]:
            assign(self.params, x.tolist())
            loss = closure()
            value = loss.data if isinstance(loss, Value) else float(loss)
            return value, np.array([p.grad for p in self.params])

        try:
            value, x = self.minimise(loss_of, np.array(before), self.max_iter)
            assign(self.params, x.tolist())
        except BaseException:
            assign(self.params, before)
            raise
        self.steps += 1
        return value

    def minimise(
        self,
        loss_of: Callable[[Array], tuple[float, Array]],
        x: Array,
        iterations: int,
        after: Callable[[Array], bool] = lambda x: False,
    ) -> tuple[float, Array]:
        """The loss and the parameters after so many iterations.

        ``after`` sees the parameters of each, and may say that it is enough.
        """
        try:
            from scipy.optimize import minimize
        except ImportError as cause:
            raise missing("L-BFGS is a method of SciPy", "scipy") from cause

        def callback(intermediate_result: Any) -> None:
            if after(np.array(intermediate_result.x)):
                raise StopIteration

        found = minimize(
            loss_of,
            x,
            jac=True,
            method="L-BFGS-B",
            callback=callback,
            options={
                "maxiter": iterations,
                "maxfun": 50 * iterations,
                "maxcor": self.history_size,
                "gtol": self.tolerance_grad,
                "ftol": 0.0,
            },
        )
        return float(found.fun), np.array(found.x)

    def __repr__(self) -> str:
        settings = [f"{name}={getattr(self, name)!r}" for name in self.settings]
        return f"LBFGS({', '.join(settings)})"
