"""A cluster of Ray with two nodes on this machine, one of which is said to have a GPU; prints its address.

It lasts as long as its stdin is open. It is run in a process of its own: Ray warns of much, and tests take warnings
for errors.
"""

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Start the nodes, say where they are, and end them when nobody listens any more."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 100 * 10**6}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        cluster.add_node(**node, num_gpus=1)  # of which there need be none: Ray counts shares
        print(cluster.address, flush=True)
        sys.stdin.read()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
