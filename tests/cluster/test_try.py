import pytest, time, os
def test_array(toy, slurm):
    made = toy(4, children=2, backend="array", window=3)
    t=time.time()
    done = made.submit()
    print(time.time()-t, done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    for i in range(40):
        s=made.states()
        print(time.time()-t,s)
        if set(s.values())=={"done"}: break
        time.sleep(1)
    os.system(f"find {made.folder}/run-000 {made.folder}/_cluster; cat {made.folder}/slurm/*; squeue; cat {made.folder}/run-000/state.json {made.folder}/run-000/attempts/001/job.json")
    print(made.starts(), made.energies())
    assert set(made.starts().values()) == {1}
