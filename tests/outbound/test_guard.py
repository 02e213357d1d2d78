"""The guard: every address and spelling it has to know."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from hub.contract import Misconfigured, Rejected
from hub.outbound.guard import Guard, check_url, judge

REFUSED = """
0.0.0.0 0.0.0.1 0.255.255.255
10.0.0.0 10.1.2.3 10.255.255.255
100.64.0.0 100.100.100.200 100.127.255.255
127.0.0.1 127.0.0.2 127.255.255.254 127.1.1.1
168.63.129.16
169.254.0.1 169.254.169.254 169.254.170.2 169.254.255.255
172.16.0.1 172.20.10.1 172.31.255.255
192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.192
192.0.2.1 192.0.2.255
192.88.99.1 192.88.99.255
192.168.0.1 192.168.1.254 192.168.255.255
198.18.0.1 198.19.255.255
198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.250
240.0.0.1 250.1.2.3 255.255.255.254 255.255.255.255
:: ::1 0:0:0:0:0:0:0:1
::127.0.0.1 ::10.0.0.1 ::169.254.169.254 ::2 ::ffff
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:7f00:1 ::ffff:c0a8:1 0:0:0:0:0:ffff:127.0.0.1
::ffff:0:127.0.0.1 ::ffff:0:a00:1
64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::c0a8:101
64:ff9b:1::127.0.0.1 64:ff9b:1::8.8.8.8 64:ff9b:1:a00:0:100:: 64:ff9b:1:a00:1:100:808:808 64:ff9b:1:ff7f::1:808:808
64:ff9b:2::1
100:: 100::1 100:0:0:1::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1
2001:db8::1 2001:db8:ffff::1
2002:7f00:1::1 2002:a00:1::1 2002:a9fe:a9fe::1 2002:c0a8:101:: 2002:c000:201::1
3fff::1 3fff:fff::1
5f00::1 5f00:ffff::1
fc00::1 fd00::1 fd00:ec2::254 fdff:ffff::1
fe80::1 fe80::1%eth0 febf::1 fec0::1 feff::1
ff00::1 ff02::1 ff0e::1
4000::1 8000::1 1000::1 e000::1
hello 127.1 2130706433 0x7f000001 0177.0.0.1 1.2.3 1.2.3.4.5 256.1.1.1 01.2.3.4
""".split()

ALLOWED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 168.63.129.15
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.1
192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.101.1 203.0.112.1 203.0.114.1 223.255.255.255
2606:4700:4700::1111 2a00:1450:4001:82a::200e 2001:200::1 2001:4860:4860::8888 2620:fe::fe 3ffe::1
::ffff:8.8.8.8 ::8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 240e::1 64:ff9b:1:808:8:808:808:808
""".split()

URLS_REFUSED = {
    # not a URL we call
    "": "begin with",
    "example.com": "begin with",
    "//example.com/": "begin with",
    "ftp://example.com/": "begin with",
    "file:///etc/passwd": "begin with",
    "gopher://127.0.0.1:25/": "begin with",
    "javascript:alert(1)": "begin with",
    "http:/example.com": "begin with",
    "http:example.com": "begin with",
    "unix:///var/run/docker.sock": "begin with",
    "http://": "not a name",
    "http:///path": "not a name",
    "http://?x": "not a name",
    "http://:80/": "not a name",
    "http://" + "a" * 2050: "longer",
    # characters that parsers read differently
    " http://example.com/": "space",
    "http://example.com/ x": "space",
    "http://exam\nple.com/": "space",
    "http://example.com\t/": "space",
    "http://example.com\\@127.0.0.1/": "backslash",
    "http:\\\\example.com/": "backslash",
    "http://example.com\x00.evil/": "space",
    "http://exa\x7fmple.com/": "space",
    "http://example.com/\ud800": "cannot be sent",
    # credentials
    "http://user:pass@example.com/": "credentials",
    "http://user@example.com/": "credentials",
    "http://@example.com/": "credentials",
    "http://example.com@127.0.0.1/": "credentials",
    "http://127.0.0.1@example.com/": "credentials",
    "http://a:b@c@d/": "credentials",
    # addresses in their plain spelling
    "http://127.0.0.1/": "loopback",
    "https://127.0.0.1:8443/hook": "loopback",
    "http://10.0.0.8/": "private",
    "http://169.254.169.254/latest/meta-data/": "link-local",
    "http://0.0.0.0/": "this network",
    "http://[::1]/": "loopback",
    "http://[::]/": "unspecified",
    "http://[0000::1]:80/": "loopback",
    "http://[::ffff:127.0.0.1]/": "loopback",
    "http://[::ffff:7f00:0001]/": "loopback",
    "http://[::127.0.0.1]/": "loopback",
    "http://[64:ff9b::a9fe:a9fe]/": "link-local",
    "http://[2002:7f00:1::]/": "loopback",
    "http://[fe80::1]/": "link-local",
    "http://[fd00:ec2::254]/": "private",
    "http://[ff02::1]/": "multicast",
    # addresses in disguise
    "http://2130706433/": "four decimal numbers",
    "http://0x7f000001/": "four decimal numbers",
    "http://0x7f.0x0.0x0.0x1/": "four decimal numbers",
    "http://0x7F.1/": "four decimal numbers",
    "http://017700000001/": "four decimal numbers",
    "http://0177.0.0.1/": "four decimal numbers",
    "http://127.1/": "four decimal numbers",
    "http://127.0.1/": "four decimal numbers",
    "http://0/": "four decimal numbers",
    "http://127.0.0.01/": "four decimal numbers",
    "http://127.0.0.1.1/": "four decimal numbers",
    "http://1.2.3.256/": "four decimal numbers",
    "http://8.8.8.0x8/": "four decimal numbers",
    "http://4294967297/": "four decimal numbers",
    "http://example.0x7f/": "four decimal numbers",
    "http://example.1/": "four decimal numbers",
    "http://１２７.0.0.1/": "another script",
    "http://127。0。0。1/": "another script",
    "http://①②⑦.⓪.⓪.①/": "another script",
    "http://127.0.0.1./": "dot",
    "http://[fe80::1%25eth0]/": "zone",
    "http://[fe80::1%eth0]/": "zone",
    "http://[v1.fe80::1]/": "IPv6",
    "http://[127.0.0.1]/": "IPv6",
    "http://[::1": "cannot be read",
    "http://::1/": "not a name",
    "http://[]/": "IPv6",
    "http://[::1]x/": "cannot be read",
    "http://[::1]:x/": "not allowed",
    # names
    "http://localhost/": "loopback",
    "http://LOCALHOST:8080/": "loopback",
    "http://foo.localhost/": "loopback",
    "http://ｌocalhost/": "loopback",
    "http://example.com./": "dot",
    "http://localhost./": "dot",
    "http://./": "dot",
    "http://example..com/": "not a name",
    "http://.example.com/": "not a name",
    "http://-example.com/": "not a name",
    "http://example-.com/": "not a name",
    "http://exam%70le.com/": "not a name",
    "http://127.0.0.1%2eexample.com/": "not a name",
    "http://exa mple.com/": "space",
    "http://exam$ple.com/": "not a name",
    "http://example.com,evil.com/": "not a name",
    "http://" + "a" * 64 + ".com/": "not a name",
    "http://" + "a." * 127 + "com/": "not a name",
    "http://xn--\u0301.com/": "international",
    "http://a\u200db.com/": "international",
    # ports
    "http://example.com:0/": "port",
    "http://example.com:65536/": "port",
    "http://example.com:99999999/": "port",
    "http://example.com:80a/": "port",
    "http://example.com:-1/": "port",
    "http://example.com:/": "port",
    "http://example.com:８０/": "port",
    "http://example.com:80:80/": "port",
}

URLS_TAKEN = {
    "http://example.com": "http://example.com/",
    "https://example.com/": "https://example.com/",
    "HTTPS://EXAMPLE.com/A%2Fb?c=%20d+e&f=%zz#g": "https://example.com/A%2Fb?c=%20d+e&f=%zz",
    "https://example.com:443/x": "https://example.com/x",
    "http://example.com:8080/x": "http://example.com:8080/x",
    "http://example.com:080/": "http://example.com/",
    "http://example.com?x=1": "http://example.com/?x=1",
    "http://a_b.example.com/": "http://a_b.example.com/",
    "http://3com.example/": "http://3com.example/",
    "http://1.2.3.4.example/": "http://1.2.3.4.example/",
    "http://intranet/": "http://intranet/",
    "http://8.8.8.8:81/": "http://8.8.8.8:81/",
    "http://[2606:4700::1111]/": "http://[2606:4700::1111]/",
    "http://[2606:4700:0:0::1111]:8443/x": "http://[2606:4700::1111]:8443/x",
    "http://[::ffff:8.8.8.8]/": "http://[::ffff:808:808]/",
    "http://bücher.example/straße?ü": "http://xn--bcher-kva.example/stra%C3%9Fe?%C3%BC",
    "http://商城.example/": "http://xn--czru2d.example/",
    "http://example.com/a/../b//c;d?e=f/../g": "http://example.com/a/../b//c;d?e=f/../g",
    "http://example.com/a@b:c": "http://example.com/a@b:c",
}


def test_the_tables_are_as_long_as_promised():
    assert len(set(REFUSED)) + len(set(ALLOWED)) + len(URLS_REFUSED) + len(URLS_TAKEN) >= 240
    assert len(set(REFUSED)) >= 100


@pytest.mark.parametrize("address", sorted(set(REFUSED)))
def test_an_address_of_no_public_use_is_refused_with_a_reason(address: str):
    assert judge(address)


@pytest.mark.parametrize("address", sorted(set(ALLOWED)))
def test_a_public_address_is_let_through(address: str):
    assert judge(address) is None


@pytest.mark.parametrize("url", URLS_REFUSED)
def test_a_url_that_may_not_be_called_is_rejected_with_its_field(url: str):
    with pytest.raises(Rejected, match=URLS_REFUSED[url]) as refused:
        check_url(url, Guard(), "endpoint.url")

    assert refused.value.field == "endpoint.url"


@pytest.mark.parametrize("url", URLS_TAKEN)
def test_a_url_that_may_be_called_goes_out_as_it_was_written(url: str):
    taken = Guard().check_url(url)

    assert str(taken) == URLS_TAKEN[url]


@pytest.mark.parametrize(
    ("allow", "address", "free"),
    [
        ("127.0.0.1/32", "127.0.0.1", True),
        ("127.0.0.1/32", "127.0.0.2", False),
        ("127.0.0.1/32", "::ffff:127.0.0.1", True),
        ("127.0.0.1/32", "64:ff9b::127.0.0.1", True),
        ("127.0.0.1/32", "2002:7f00:1::1", True),
        ("127.0.0.1/32", "::1", False),
        ("::1/128", "::1", True),
        ("10.0.0.0/8", "10.9.8.7", True),
        ("fd00::/8", "fd12::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("64:ff9b:1::/48", "64:ff9b:1::808:808", True),
        ("0.0.0.0/0", "169.254.169.254", True),
    ],
)
def test_what_the_operator_allows_is_let_through(allow: str, address: str, free: bool):
    assert (Guard.of([allow]).judge(address) is None) is free


def test_an_allowed_loopback_may_be_named_and_written_plainly_only():
    guard = Guard.of(["127.0.0.1/32"])

    assert guard.check_url("http://127.0.0.1:9/x").port == 9
    assert guard.check_url("http://localhost:9/").host == "localhost"
    with pytest.raises(Rejected, match="four decimal numbers"):
        guard.check_url("http://2130706433/")


def test_only_the_listed_ports_are_open_where_ports_are_listed():
    guard = Guard.of(ports=[443, 8443])

    assert guard.check_url("https://example.com/").port == 443
    assert guard.check_url("http://example.com:8443/").port == 8443
    for url in ("http://example.com/", "https://example.com:22/", "http://example.com:6379/"):
        with pytest.raises(Rejected, match=r"port \d+ is not allowed"):
            guard.check_url(url)


def test_every_network_that_cannot_be_read_is_listed():
    with pytest.raises(Misconfigured) as wrong:
        Guard.of(["127.0.0.1/32", "10.0.0.1/8", "all"])

    assert len(wrong.value.faults) == 2


@given(st.ip_addresses(v=4))
def test_what_is_refused_plainly_is_refused_in_every_wrapping(address):
    first, rest = int(address) >> 16, int(address) & 0xFFFF
    for wrapped in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{first:x}:{rest:x}::1",
        f"::ffff:0:{address}",
    ):
        assert (judge(wrapped) is None) == (judge(address) is None)


@given(st.text(max_size=40))
def test_any_text_after_the_scheme_is_taken_or_rejected(text: str):
    try:
        url = check_url(f"http://{text}", Guard())
    except Rejected:
        return

    assert url.scheme == "http"
    assert url.raw_host
    assert not url.user


def test_ports_of_other_protocols_are_refused_unless_they_are_named() -> None:
    for port in (22, 25, 6667):
        with pytest.raises(Rejected, match="another protocol"):
            Guard.of().check_url(f"https://partner.example:{port}/in")
    assert Guard.of().check_url("https://partner.example:8443/in").port == 8443
    assert Guard.of(ports=[25]).check_url("http://partner.example:25/in").port == 25
