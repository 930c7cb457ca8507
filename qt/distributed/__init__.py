"""Training that is spread over processes and machines: `mpirun -n 4 qt train --distributed mpi`.

    import qt.distributed as dist
    dist.init_process_group("mpi")
    trainer = dist.DataParallelTrainer(model, train_ids, val_ids, config)
    trainer.run()
    dist.destroy_process_group()

The names are those of torch.distributed. `import qt` does not load this package, and only
`init_process_group` loads mpi4py.
"""

from qt.distributed.process_group import (
    all_reduce,
    barrier,
    destroy_process_group,
    get_rank,
    get_world_size,
    init_process_group,
    is_initialized,
)
from qt.distributed.trainer import DataParallelTrainer

__all__ = [
    "DataParallelTrainer", "all_reduce", "barrier", "destroy_process_group", "get_rank",
    "get_world_size", "init_process_group", "is_initialized",
]  # fmt: skip
