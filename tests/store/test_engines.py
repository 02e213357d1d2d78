async def test_a_hub_stands_on_each_engine(hub):
    assert await hub.settle() == 0


async def test_a_store_stands_on_each_engine(engine):
    assert await engine.fetch("things_revision") == [(0, 0)]
