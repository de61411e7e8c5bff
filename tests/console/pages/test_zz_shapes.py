import pytest
pytestmark = pytest.mark.postgres
from tests.console.pages.page_world import *
def test_it(page_world):
    with connect(DatabaseRole.OWNER) as c:
        for t in ("regime.lowcap_price_data_ohlc","regime.majors_price_data_ohlc","regime.dominance_sample","regime.token_bar"):
            try:
                print(t, c.execute(f"select count(*) from {t}").fetchall()); 
            except Exception as e: print(t, e); c.rollback()
        print(c.execute("select * from regime.lowcap_price_data_ohlc limit 2").fetchall())
