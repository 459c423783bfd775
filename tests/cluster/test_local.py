def test_a_campaign_runs_to_its_end_here(toy):
    made = toy(3, children=1)
    done = made.submit()
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(made.states().values()) == {"done"}
    assert made.starts() == dict.fromkeys(made.states(), 1)
    print(done.stdout, made.energies(), made.status())
