import pytest, time, os
def test_parsl(toy, slurm):
    made = toy(4, children=2, backend="parsl", window=3)
    t=time.time()
    done = made.submit()
    print(time.time()-t, done.stdout, done.stderr)
    os.system(f"find {made.folder}/_cluster | head -40; cat {made.folder}/_cluster/parsl/*/*/submit_scripts/*.sh; cat {made.folder}/_cluster/parsl/*/submit_scripts/*; squeue; ps aux | grep -i interchange")
    assert done.returncode == 0, done.stdout + done.stderr
    print(made.starts(), made.energies())
    assert set(made.starts().values()) == {1}
