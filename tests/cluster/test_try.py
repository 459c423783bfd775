import pytest, time
@pytest.mark.parametrize("custodian", [False, True])
def test_exec(toy, slurm, custodian):
    made = toy(3, children=1, backend="executorlib", custodian=custodian)
    t=time.time()
    done = made.submit()
    print(time.time()-t, done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(made.states().values()) == {"done"}
    assert made.starts() == dict.fromkeys(made.states(), 1)
    import os; os.system(f"find {made.folder}/run-000 {made.folder}/_cluster; cat {made.folder}/run-000/attempts/slurm*; ")
