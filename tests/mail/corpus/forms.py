"""Every form in which orders arrive by mail, made of the same buyers: each case is a mail and what it must mean.

The golden result is made from the buyer, never from what the reader says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hub.inbound.mail.reading import Layout, Manner, Rules
from hub.registry import load_registry
from tests.mail.corpus.files import ods, packed, pdf, xlsx
from tests.mail.corpus.letters import SEEN, around, letter
from tests.mail.corpus.people import BUYERS, WORDS, Buyer

Doc = dict[str, Any]
NATIVE = {name: load_registry().texts[name].text for name in ("ubl.order", "orderx.order")}


@dataclass(frozen=True)
class Case:
    """A mail, the rules that it is read with, and what it means: `doubts` are the fields that a person must look at."""

    name: str
    raw: bytes
    rules: Rules
    kind: str = "order"
    form: str = ""
    orders: tuple[Doc, ...] = ()
    shipments: tuple[Doc, ...] = ()
    doubts: frozenset[str] = frozenset()
    ruled: bool | None = None
    notes: tuple[str, ...] = ()
    partial: bool = False
    inner: str = ""


def rules(buyer: Buyer, **manner: Any) -> Rules:
    """The rules of a buyer's record."""
    texts = NATIVE | manner.pop("texts", {})
    return Rules(
        manner=Manner(**manner), locale=buyer.locale, zone=buyer.zone, currency=buyer.currency, texts=texts
    )


# ── what it must mean ──

_START = {
    "zh": "2027-01-04T16:00:00.000Z",
    "en": "2027-01-05T00:00:00.000Z",
    "de": "2027-01-04T23:00:00.000Z",
}
"""The start of the day of the order, in UTC."""


def money(amount: str, buyer: Buyer) -> Doc:
    whole, _, fraction = amount.partition(".")
    return {"amount": f"{whole}.{fraction.rstrip('0').ljust(2, '0')}", "currency": buyer.currency}


def lines(buyer: Buyer, *leave: str, unit: str = "") -> list[Doc]:
    """The canonical lines."""
    out = []
    for n, one in enumerate(buyer.items, 1):
        line: Doc = {"ref": str(n), "sku": one.sku, "name": one.name, "quantity": {"ordered": one.quantity},
                     "unit_price": money(one.price, buyer)}  # fmt: skip
        if unit:
            line["unit"] = unit
        out.append({name: value for name, value in line.items() if name not in leave})
    return out


def golden(buyer: Buyer, *leave: str, **more: Any) -> Doc:
    """The canonical order."""
    doc: Doc = {
        "number": buyer.po, "purchase_order": buyer.po, "currency": buyer.currency, "placed_at": _START[buyer.language],
        "requested_delivery": {"date": buyer.wanted}, "lines": lines(buyer),
        "ship_to": {"name": buyer.person, "lines": [buyer.street], "postal_code": buyer.postal_code, "city": buyer.city,
                    "country": buyer.country},
        "totals": {"total": money(buyer.total, buyer)},
    } | more  # fmt: skip
    return {name: value for name, value in doc.items() if name not in leave}


# ── grids ──


def heading(buyer: Buyer) -> list[str]:
    words = WORDS[buyer.language]
    return [words[name] for name in ("sku", "name", "quantity", "price")]


def head(buyer: Buyer) -> list[list[str]]:
    """The fields of an order, label beside value."""
    words = WORDS[buyer.language]
    return [
        [words["po"], buyer.po], [words["placed"], buyer.day(buyer.placed)], [words["wanted"], buyer.day(buyer.wanted)],
        [words["ship_to"], buyer.person], [words["street"], buyer.street], [words["postal"], buyer.postal_code],
        [words["city"], buyer.city], [words["country"], buyer.country],
    ]  # fmt: skip


def total(buyer: Buyer) -> list[str]:
    return [WORDS[buyer.language]["total"], f"{buyer.number(buyer.total)} {buyer.currency}"]


def written(buyer: Buyer) -> list[list[str]]:
    """Lines as people write them."""
    return [[one.sku, one.name, buyer.number(one.quantity), buyer.number(one.price)] for one in buyer.items]


def csv_text(buyer: Buyer) -> str:
    sign = ";" if buyer.language == "de" else ","
    quoted = [
        [f'"{cell}"' if sign in cell else cell for cell in row]
        for row in (*head(buyer), heading(buyer), *written(buyer), total(buyer))
    ]
    return "\r\n".join(sign.join(row) for row in quoted) + "\r\n"


def subject(buyer: Buyer) -> str:
    return f"{WORDS[buyer.language]['subject']} {buyer.po}"


def greeting(buyer: Buyer) -> str:
    return WORDS[buyer.language]["greeting"]


# ── the forms ──


def csv_attached(buyer: Buyer) -> Case:
    raw = letter(
        buyer,
        subject(buyer),
        greeting(buyer),
        files=(("order.csv", "text/csv", csv_text(buyer).encode(buyer.charset)),),
    )
    return Case("csv", raw, rules(buyer), form="sheet", orders=(golden(buyer),), ruled=False)


def csv_of_own_words(buyer: Buyer) -> Case:
    """The partner's own headings, in its record."""
    text = csv_text(buyer)
    own = dict(zip(heading(buyer), ("Ding", "Wort", "Zahl", "Geld"), strict=True))
    labels = {row[0]: f"Feld{n}" for n, row in enumerate([*head(buyer), total(buyer)])}
    for word, other in sorted((own | labels).items(), key=lambda pair: -len(pair[0])):
        text = text.replace(word, other)
    fields = (
        "purchase_order",
        "placed_at",
        "requested_delivery",
        "ship_to.name",
        "ship_to.line1",
        "ship_to.postal_code",
        "ship_to.city",
        "ship_to.country",
        "total",
    )
    manner = dict(
        columns={"sku": ["Ding"], "name": ["Wort"], "quantity": ["Zahl"], "unit_price": ["Geld"]},
        labels={name: [f"Feld{n}"] for n, name in enumerate(fields)},
    )
    raw = letter(buyer, "!", "", files=(("o.csv", "application/octet-stream", text.encode("utf-8-sig")),))
    return Case(
        "csv-own-words", raw, rules(buyer, **manner), form="sheet", orders=(golden(buyer),), ruled=True
    )


_MAPPING = """
map: made.order
target: order/1
format: csv
group_by: Best
each: $[]
fields:
  ref: Best | required
  currency: "'{currency}'"
  lines:
    each: "@rows"
    map: {{ref: Pos, sku: Art, name: Txt, quantity: {{ordered: Stk | dec}}, unit_price: Preis | money('{currency}')}}
"""


def _flat(buyer: Buyer) -> list[list[str]]:
    return [
        ["Best", "Pos", "Art", "Txt", "Stk", "Preis"],
        *(
            [buyer.po, str(n), one.sku, one.name, one.quantity, one.price]
            for n, one in enumerate(buyer.items, 1)
        ),
    ]


def _by_mapping(buyer: Buyer, name: str, data: bytes) -> Case:
    manner = dict(
        mappings={"export*": "made.order"}, texts={"made.order": _MAPPING.format(currency=buyer.currency)}
    )
    raw = letter(buyer, "!", greeting(buyer), files=((name, "application/octet-stream", data),))
    doc = golden(buyer, "placed_at", "requested_delivery", "ship_to", "totals")
    return Case(f"mapped-{name}", raw, rules(buyer, **manner), form="sheet", orders=(doc,), ruled=True)


def csv_mapped(buyer: Buyer) -> Case:
    data = "\n".join(",".join(f'"{cell}"' for cell in row) for row in _flat(buyer))
    return _by_mapping(buyer, "export-17.csv", data.encode(buyer.charset))


def xlsx_mapped(buyer: Buyer) -> Case:
    return _by_mapping(buyer, "export.xlsx", xlsx([*_flat(buyer)]))


def _typed(buyer: Buyer) -> list[list[str | int | float]]:
    rows: list[list[str | int | float]] = [*head(buyer), [], heading(buyer)]
    return [
        *rows,
        *([one.sku, one.name, int(one.quantity), float(one.price)] for one in buyer.items),
        total(buyer),
    ]


def xlsx_attached(buyer: Buyer) -> Case:
    raw = letter(
        buyer,
        subject(buyer),
        greeting(buyer),
        files=(("a.bin", "application/octet-stream", xlsx(_typed(buyer))),),
    )
    return Case("xlsx", raw, rules(buyer), form="sheet", orders=(golden(buyer),), ruled=False)


def ods_attached(buyer: Buyer) -> Case:
    raw = letter(
        buyer, subject(buyer), greeting(buyer), files=(("order.ods", "application/pdf", ods(_typed(buyer))),)
    )
    return Case("ods", raw, rules(buyer), form="sheet", orders=(golden(buyer),), ruled=False)


def zipped(buyer: Buyer) -> Case:
    data = packed({"order.csv": csv_text(buyer).encode("utf-8-sig")})
    raw = letter(buyer, "!", greeting(buyer), files=(("order.zip", "application/zip", data),))
    return Case("zip", raw, rules(buyer, archives=True), form="sheet", orders=(golden(buyer),))


def zip_not_allowed(buyer: Buyer) -> Case:
    data = packed({"order.csv": csv_text(buyer).encode("utf-8-sig")})
    raw = letter(buyer, "!", greeting(buyer), files=(("order.zip", "application/zip", data),))
    return Case("zip-not-allowed", raw, rules(buyer), kind="nothing", notes=("archives are not opened",))


def _printed(buyer: Buyer) -> list[str]:
    rows = [f"{label}: {value}" for label, value in head(buyer)]
    rows += [
        f"{n}  {one.sku}  {one.name}  {buyer.number(one.quantity)}  {buyer.number(one.price)}"
        for n, one in enumerate(buyer.items, 1)
    ]
    return [*rows, ": ".join(total(buyer))]


def pdf_with_layout(buyer: Buyer) -> Case:
    words = WORDS[buyer.language]
    names = {
        "purchase_order": words["po"], "placed_at": words["placed"], "requested_delivery": words["wanted"],
        "ship_to.name": words["ship_to"], "ship_to.line1": words["street"], "ship_to.postal_code": words["postal"],
        "ship_to.city": words["city"], "ship_to.country": words["country"], "total": words["total"],
    }  # fmt: skip
    layout = Layout(
        match=words["po"],
        start=words["country"],
        end=words["total"],
        row=r"^\d+\s+(?P<sku>[A-Z]+-\d+)\s+(?P<name>.+?)\s+(?P<quantity>[\d.,]+)\s+(?P<unit_price>[\d.,]+)$",
        fields={name: rf"^{word}\s*:\s*(.+)$" for name, word in names.items()},
    )
    raw = letter(buyer, subject(buyer), "", files=(("PO.pdf", "application/pdf", pdf(_printed(buyer))),))
    return Case(
        "pdf-layout", raw, rules(buyer, layouts=[layout]), form="pdf", orders=(golden(buyer),), ruled=True
    )


def pdf_of_strangers(buyer: Buyer) -> Case:
    """Without a layout the two numbers around an article may both be the quantity."""
    raw = letter(buyer, subject(buyer), "", files=(("PO.pdf", "application/pdf", pdf(_printed(buyer))),))
    doc = golden(buyer) | {"lines": [{"ref": str(n), "sku": one.sku} for n, one in enumerate(buyer.items, 1)]}
    fields = frozenset({"lines[0].quantity", "lines[1].quantity"})
    return Case("pdf-no-layout", raw, rules(buyer), form="pdf", orders=(doc,), doubts=fields, ruled=False)


def pdf_locked(buyer: Buyer) -> Case:
    raw = letter(buyer, "!", "", files=(("PO.pdf", "application/pdf", pdf(_printed(buyer), password="x")),))
    return Case("pdf-locked", raw, rules(buyer), kind="nothing", notes=("it is encrypted",))


def orderx(buyer: Buyer) -> bytes:
    rows = "".join(
        f"<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>{n}</ram:LineID></ram:AssociatedDocumentLineDocument>"
        f"<ram:SpecifiedTradeProduct><ram:SellerAssignedID>{one.sku}</ram:SellerAssignedID><ram:Name>{one.name}</ram:Name></ram:SpecifiedTradeProduct>"
        f"<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>{one.price}</ram:ChargeAmount></ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>"
        f'<ram:SpecifiedLineTradeDelivery><ram:RequestedQuantity unitCode="C62">{one.quantity}</ram:RequestedQuantity></ram:SpecifiedLineTradeDelivery></ram:IncludedSupplyChainTradeLineItem>'
        for n, one in enumerate(buyer.items, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rsm:SCRDMCCBDACIOMessageStructure xmlns:rsm="urn:un:unece:uncefact:data:SCRDMCCBDACIOMessageStructure:100" '
        'xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:128" xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:128">'
        f"<rsm:ExchangedDocument><ram:ID>{buyer.po}</ram:ID></rsm:ExchangedDocument><rsm:SupplyChainTradeTransaction>{rows}"
        "<ram:ApplicableHeaderTradeDelivery><ram:ShipToTradeParty>"
        f"<ram:Name>{buyer.person}</ram:Name><ram:PostalTradeAddress><ram:PostcodeCode>{buyer.postal_code}</ram:PostcodeCode><ram:LineOne>{buyer.street}</ram:LineOne>"
        f"<ram:CityName>{buyer.city}</ram:CityName><ram:CountryID>{buyer.country}</ram:CountryID></ram:PostalTradeAddress></ram:ShipToTradeParty>"
        f'<ram:RequestedDeliverySupplyChainEvent><ram:OccurrenceDateTime><udt:DateTimeString format="102">{buyer.wanted.replace("-", "")}</udt:DateTimeString></ram:OccurrenceDateTime></ram:RequestedDeliverySupplyChainEvent>'
        f"</ram:ApplicableHeaderTradeDelivery><ram:ApplicableHeaderTradeSettlement><ram:OrderCurrencyCode>{buyer.currency}</ram:OrderCurrencyCode>"
        f"<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:GrandTotalAmount>{buyer.total}</ram:GrandTotalAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>"
        "</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:SCRDMCCBDACIOMessageStructure>"
    ).encode()


def _of_xml(buyer: Buyer) -> Doc:
    doc = golden(buyer, "placed_at", lines=lines(buyer, unit="C62"))
    ship_to = {name: value for name, value in doc["ship_to"].items() if name != "lines"} | {
        "line1": buyer.street
    }
    return doc | {
        "ship_to": ship_to,
        "totals": {"total": {"amount": buyer.total, "currency": buyer.currency}},
    }


def pdf_with_orderx(buyer: Buyer) -> Case:
    data = pdf(["see the data within"], within={"order-x.xml": orderx(buyer)})
    raw = letter(buyer, subject(buyer), greeting(buyer), files=(("PO.pdf", "application/pdf", data),))
    return Case("pdf-orderx", raw, rules(buyer), form="orderx", orders=(_of_xml(buyer),), ruled=True)


def ubl(buyer: Buyer) -> bytes:
    rows = "".join(
        f'<cac:OrderLine><cac:LineItem><cbc:ID>{n}</cbc:ID><cbc:Quantity unitCode="C62">{one.quantity}</cbc:Quantity>'
        f'<cac:Price><cbc:PriceAmount currencyID="{buyer.currency}">{one.price}</cbc:PriceAmount></cac:Price><cac:Item><cbc:Name>{one.name}</cbc:Name>'
        f"<cac:SellersItemIdentification><cbc:ID>{one.sku}</cbc:ID></cac:SellersItemIdentification></cac:Item></cac:LineItem></cac:OrderLine>"
        for n, one in enumerate(buyer.items, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2" '
        'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">'
        f"<cbc:ID>{buyer.po}</cbc:ID><cbc:IssueDate>{buyer.placed}</cbc:IssueDate><cbc:DocumentCurrencyCode>{buyer.currency}</cbc:DocumentCurrencyCode>"
        f"<cac:Delivery><cac:DeliveryLocation><cac:Address><cbc:StreetName>{buyer.street}</cbc:StreetName><cbc:CityName>{buyer.city}</cbc:CityName>"
        f"<cbc:PostalZone>{buyer.postal_code}</cbc:PostalZone><cac:Country><cbc:IdentificationCode>{buyer.country}</cbc:IdentificationCode></cac:Country></cac:Address></cac:DeliveryLocation>"
        f"<cac:RequestedDeliveryPeriod><cbc:EndDate>{buyer.wanted}</cbc:EndDate></cac:RequestedDeliveryPeriod>"
        f"<cac:DeliveryParty><cac:PartyName><cbc:Name>{buyer.person}</cbc:Name></cac:PartyName></cac:DeliveryParty></cac:Delivery>"
        f'<cac:AnticipatedMonetaryTotal><cbc:PayableAmount currencyID="{buyer.currency}">{buyer.total}</cbc:PayableAmount></cac:AnticipatedMonetaryTotal>{rows}</Order>'
    ).encode()


def ubl_attached(buyer: Buyer) -> Case:
    raw = letter(buyer, subject(buyer), greeting(buyer), files=(("order.dat", "text/plain", ubl(buyer)),))
    return Case("ubl", raw, rules(buyer), form="ubl", orders=(_of_xml(buyer),), ruled=True)


def _ld(buyer: Buyer) -> Doc:
    return {
        "@context": "http://schema.org", "@type": "Order", "orderNumber": buyer.po, "orderDate": f"{buyer.placed}T09:00:00",
        "priceCurrency": buyer.currency, "price": buyer.total, "customer": {"@type": "Person", "name": buyer.person},
        "acceptedOffer": [
            {"@type": "Offer", "itemOffered": {"@type": "Product", "name": one.name, "sku": one.sku}, "price": one.price,
             "priceCurrency": buyer.currency, "eligibleQuantity": {"@type": "QuantitativeValue", "value": int(one.quantity)}}
            for one in buyer.items
        ],
        "orderDelivery": {"@type": "ParcelDelivery", "expectedArrivalUntil": buyer.wanted, "deliveryAddress": {
            "@type": "PostalAddress", "name": buyer.person, "streetAddress": buyer.street, "addressLocality": buyer.city,
            "postalCode": buyer.postal_code, "addressCountry": buyer.country}},
    }  # fmt: skip


def _with_buyer(buyer: Buyer) -> Doc:
    return golden(buyer) | {"buyer": {"name": buyer.person}}


def json_ld(buyer: Buyer) -> Case:
    page = f'<html><head><script type="application/ld+json">{json.dumps(_ld(buyer), ensure_ascii=False)}</script></head><body><p>{greeting(buyer)}</p><table><tr><td>x</td></tr></table></body></html>'
    return Case(
        "json-ld",
        letter(buyer, "New order", "see html", html=page),
        rules(buyer),
        form="jsonld",
        orders=(_with_buyer(buyer),),
        ruled=True,
    )


def microdata(buyer: Buyer) -> Case:
    offers = "".join(
        f'<div itemprop="acceptedOffer" itemscope itemtype="http://schema.org/Offer"><div itemprop="itemOffered" itemscope itemtype="http://schema.org/Product">'
        f'<b itemprop="name">{one.name}</b><meta itemprop="sku" content="{one.sku}"></div><meta itemprop="price" content="{one.price}">'
        f'<div itemprop="eligibleQuantity" itemscope itemtype="http://schema.org/QuantitativeValue"><meta itemprop="value" content="{one.quantity}"></div></div>'
        for one in buyer.items
    )
    page = (
        f'<div itemscope itemtype="http://schema.org/Order"><span itemprop="orderNumber">{buyer.po}</span><time itemprop="orderDate" datetime="{buyer.placed}">x</time>'
        f'<meta itemprop="priceCurrency" content="{buyer.currency}"><span itemprop="price">{buyer.total}</span>'
        f'<div itemprop="customer" itemscope itemtype="http://schema.org/Person"><span itemprop="name">{buyer.person}</span></div>{offers}'
        '<div itemprop="orderDelivery" itemscope itemtype="http://schema.org/ParcelDelivery">'
        f'<meta itemprop="expectedArrivalUntil" content="{buyer.wanted}"><div itemprop="deliveryAddress" itemscope itemtype="http://schema.org/PostalAddress">'
        f'<i itemprop="name">{buyer.person}</i><i itemprop="streetAddress">{buyer.street}</i><i itemprop="addressLocality">{buyer.city}</i>'
        f'<i itemprop="postalCode">{buyer.postal_code}</i><i itemprop="addressCountry">{buyer.country}</i></div></div></div>'
    )
    return Case(
        "microdata",
        letter(buyer, "New order", html=page),
        rules(buyer),
        form="microdata",
        orders=(_with_buyer(buyer),),
        ruled=True,
    )


def html_table(buyer: Buyer) -> Case:
    def rows(grid: list[list[str]], cell: str) -> str:
        return "".join("<tr>" + "".join(f"<{cell}>{text}</{cell}>" for text in row) + "</tr>" for row in grid)

    page = (
        f"<html><style>td {{color: red}}</style><body><p>{greeting(buyer)}</p><table>{rows(head(buyer), 'td')}</table>"
        f"<table><thead>{rows([heading(buyer)], 'th')}</thead>{rows(written(buyer), 'td')}{rows([total(buyer)], 'td')}</table>"
        '<img src="http://tracker.example/p.gif"><script>alert(1)</script></body></html>'
    )
    return Case(
        "html-table",
        letter(buyer, subject(buyer), html=page),
        rules(buyer),
        form="table",
        orders=(golden(buyer),),
        ruled=False,
    )


def _sentences(buyer: Buyer) -> str:
    words = WORDS[buyer.language]
    rows = [f"{buyer.number(one.quantity)} {words['units']} {one.name}" for one in buyer.items]
    return "\n".join(
        [
            greeting(buyer),
            "",
            *rows,
            "",
            *(
                f"{label}：{value}" if buyer.language == "zh" else f"{label}: {value}"
                for label, value in head(buyer)[2:]
            ),
            "",
            words["regards"],
        ]
    )


def text_by_rules(buyer: Buyer) -> Case:
    """The partner's names of our articles are in its record."""
    manner = dict(skus={one.name: one.sku for one in buyer.items})
    told = [
        {
            "ref": str(n),
            "sku": one.sku,
            "identifiers": [{"scheme": "buyer_sku", "value": one.name}],
            "quantity": {"ordered": one.quantity},
            "unit": "C62",
        }
        for n, one in enumerate(buyer.items, 1)
    ]
    doc = golden(buyer, "placed_at", "totals", lines=told)
    return Case(
        "text-rules",
        letter(buyer, subject(buyer), _sentences(buyer)),
        rules(buyer, **manner),
        form="text",
        orders=(doc,),
    )


def _loose(buyer: Buyer) -> str:
    one, two = buyer.items
    return {
        "zh": f"您好，\n请发 {one.sku} 20件，{two.sku} x 1500。\n交货日期 {buyer.day(buyer.wanted)}\n谢谢",
        "en": f"Hello,\nplease send 20x {one.sku} and 1,500 x {two.sku} by {buyer.day(buyer.wanted)}.\nThanks",
        "de": f"Guten Tag,\nbitte liefern Sie 20 Stück {one.sku} und 1.500 x {two.sku} bis {buyer.day(buyer.wanted)}.\nDanke",
    }[buyer.language]


def _named(buyer: Buyer, *units: str) -> list[Doc]:
    return [
        {"ref": str(n), "sku": one.sku, "quantity": {"ordered": one.quantity}}
        | ({"unit": unit} if unit else {})
        for n, (one, unit) in enumerate(zip(buyer.items, units, strict=True), 1)
    ]


def _bare(buyer: Buyer) -> Doc:
    units = ("", "") if buyer.language == "en" else ("C62", "")
    return golden(buyer, "placed_at", "totals", "ship_to", lines=_named(buyer, *units))


def text_of_strangers(buyer: Buyer) -> Case:
    raw = letter(buyer, subject(buyer), _loose(buyer))
    return Case("text", raw, rules(buyer), form="text", orders=(_bare(buyer),), ruled=False)


def text_relative(buyer: Buyer) -> Case:
    day = {"zh": "下周五前", "en": "by next Friday", "de": "bis nächsten Freitag"}[buyer.language]
    text = f"{greeting(buyer)}\n2 x {buyer.items[0].sku} {day}"
    doc = {
        "number": buyer.po,
        "purchase_order": buyer.po,
        "currency": buyer.currency,
        "lines": [{"ref": "1", "sku": buyer.items[0].sku, "quantity": {"ordered": "2"}}],
    }
    return Case(
        "text-relative",
        letter(buyer, subject(buyer), text),
        rules(buyer),
        form="text",
        orders=(doc,),
        doubts=frozenset({"requested_delivery.date"}),
    )


def text_wrong_charset(buyer: Buyer) -> Case:
    """Declared as something that it is not."""
    text = (
        _loose(buyer)
        .replace("谢谢", "谢谢您的支持")
        .replace("Danke", "Danke schön, grüße")
        .replace("Thanks", "Thanks, naïve café")
    )
    raw = (
        letter(buyer, subject(buyer), "PLACE")
        .replace(b'charset="utf-8"', b'charset="us-ascii"')
        .replace(b"Content-Transfer-Encoding: 7bit", b"Content-Transfer-Encoding: 8bit")
    )
    raw = raw.replace(b"PLACE", text.replace("\n", "\r\n").encode(buyer.charset))
    return Case("text-charset", raw, rules(buyer), form="text", orders=(_bare(buyer),), notes=("read as",))


def ambiguous(buyer: Buyer) -> Case:
    """A stranger without a locale writes 1,500 and 01/02/2027."""
    text = f"{greeting(buyer)}\n1,500 x {buyer.items[0].sku}\nDelivery date: 01/02/2027\nCurrency: {buyer.currency}"
    doc = {
        "number": buyer.po,
        "purchase_order": buyer.po,
        "currency": buyer.currency,
        "lines": [{"ref": "1", "sku": buyer.items[0].sku}],
    }
    fields = frozenset({"lines[0].quantity", "requested_delivery.date"})
    return Case(
        "ambiguous",
        letter(buyer, subject(buyer), text),
        Rules(texts=NATIVE),
        form="text",
        orders=(doc,),
        doubts=fields,
    )


_FORWARD = {
    "zh": "---------- 转发的邮件 ----------\n发件人: {0} <{1}>\n日期: 2027年1月5日\n主题: {2}\n收件人: sales@hub.example\n",
    "en": "---------- Forwarded message ---------\nFrom: {0} <{1}>\nDate: Tue, 5 Jan 2027\nSubject: {2}\nTo: sales@hub.example\n",
    "de": "-------- Weitergeleitete Nachricht --------\nVon: {0} <{1}>\nDatum: 05.01.2027\nBetreff: {2}\nAn: sales@hub.example\n",
}


def forwarded(buyer: Buyer) -> Case:
    text = (
        "FYI, 99 x DL-999\n\n"
        + _FORWARD[buyer.language].format(buyer.person, buyer.mail, subject(buyer))
        + "\n"
        + _loose(buyer)
    )
    mark = {"zh": "转发: ", "en": "Fwd: ", "de": "WG: "}[buyer.language]
    raw = letter(buyer, mark + "x", text, sender="colleague@hub.example")
    return Case("forwarded", raw, rules(buyer), form="text", orders=(_bare(buyer),), inner=buyer.mail)


def forwarded_whole(buyer: Buyer) -> Case:
    case = csv_attached(buyer)
    return replace(
        case,
        name="forwarded-rfc822",
        raw=around(case.raw, buyer, "Fwd: order", "please see below"),
        inner=buyer.mail,
    )


_QUOTED = {
    "zh": "在 2027年1月4日 星期一 10:00，Orders <orders@hub.example> 写道：",
    "en": "On Mon, 4 Jan 2027 at 10:00, Orders <orders@hub.example> wrote:",
    "de": "Am 04.01.2027 um 10:00 schrieb Orders <orders@hub.example>:",
}


def _reply(buyer: Buyer, name: str, said: str, line: Doc) -> Case:
    quoted = "\n".join(
        f"> {row}" for row in ["Your order:", f"77 x {buyer.items[0].sku}", f"88 x {buyer.items[1].sku}"]
    )
    mark = {"zh": "回复: ", "en": "Re: ", "de": "AW: "}[buyer.language]
    raw = letter(
        buyer,
        mark + subject(buyer),
        f"{said}\n\n{_QUOTED[buyer.language]}\n{quoted}\n",
        answers="<sent-1@hub.example>",
    )
    doc = {
        "number": buyer.po,
        "purchase_order": buyer.po,
        "currency": buyer.currency,
        "lines": [{"ref": "1"} | line],
    }
    return Case(name, raw, rules(buyer), kind="reply", form="text", orders=(doc,), partial=True)


def reply_changing(buyer: Buyer) -> Case:
    sku = buyer.items[0].sku
    said = {
        "zh": f"请把 {sku} 改为 数量 25",
        "en": f"Please make that 25 x {sku}, the rest stays.",
        "de": f"Bitte nur 25 Stück {sku}, Rest bleibt.",
    }[buyer.language]
    unit = {"unit": "C62"} if buyer.language == "de" else {}
    return _reply(buyer, "reply-change", said, {"sku": sku, "quantity": {"ordered": "25"}} | unit)


def reply_removing(buyer: Buyer) -> Case:
    sku = buyer.items[1].sku
    said = {"zh": f"请取消 {sku}", "en": f"Please cancel {sku}.", "de": f"Bitte {sku} stornieren."}[
        buyer.language
    ]
    return _reply(buyer, "reply-remove", said, {"sku": sku, "quantity": {"ordered": "0"}})


def reply_of_words(buyer: Buyer) -> Case:
    mark = {"zh": "回复: ", "en": "Re: ", "de": "AW: "}[buyer.language]
    raw = letter(
        buyer, mark + "x", f"OK\n\n{_QUOTED[buyer.language]}\n> 77 x DL-100\n", answers="<sent-1@hub.example>"
    )
    return Case("reply-words", raw, rules(buyer), kind="reply")


_CARRIER = {
    "zh": ("您的快递正在派送中", "您的订单 {0} 由顺丰速运派送中。\n运单号：SF1234567890123\n", "SF1234567890123", "sf_express", "out_for_delivery"),
    "en": ("Your parcel has been delivered", "UPS: your order {0} was delivered today.\nTracking number: 1Z5R89390357567127\n", "1Z5R89390357567127", "ups", "delivered"),
    "de": ("Ihr Paket ist unterwegs", "Ihre Sendung zur Bestellung {0} ist mit DHL unterwegs.\nSendungsnummer: 00340434161094042557\n", "00340434161094042557", "dhl", "in_transit"),
}  # fmt: skip


def carrier(buyer: Buyer) -> Case:
    title, text, number, code, status = _CARRIER[buyer.language]
    raw = letter(buyer, title, text.format(buyer.po), sender="noreply@parcels.example")
    doc = {
        "number": number,
        "carrier": code,
        "order_number": buyer.po,
        "scans": [{"status": status, "at": SEEN}],
    }
    return Case("carrier", raw, rules(buyer), kind="shipment", form="carrier", shipments=(doc,))


def carrier_json_ld(buyer: Buyer) -> Case:
    delivery = {
        "@context": "http://schema.org", "@type": "ParcelDelivery", "trackingNumber": "1Z5R89390357567127",
        "carrier": {"@type": "Organization", "name": "UPS"}, "expectedArrivalFrom": "2027-01-06", "expectedArrivalUntil": "2027-01-08",
        "partOfOrder": {"@type": "Order", "orderNumber": buyer.po, "orderStatus": "http://schema.org/OrderInTransit"},
    }  # fmt: skip
    page = f'<html><script type="application/ld+json">{json.dumps(delivery)}</script><p>…</p></html>'
    doc = {
        "number": "1Z5R89390357567127", "carrier": "UPS", "order_number": buyer.po,
        "eta": {"earliest": "2027-01-06", "latest": "2027-01-08"}, "scans": [{"status": "in_transit", "at": SEEN}],
    }  # fmt: skip
    return Case(
        "carrier-json-ld",
        letter(buyer, "Shipped", html=page),
        rules(buyer),
        kind="shipment",
        form="jsonld",
        shipments=(doc,),
    )


def form_not_allowed(buyer: Buyer) -> Case:
    """This partner orders by UBL alone."""
    case = csv_attached(buyer)
    return replace(
        case,
        name="form-not-allowed",
        rules=rules(buyer, forms=["ubl"]),
        kind="nothing",
        form="",
        orders=(),
        notes=("does not order by sheet",),
    )


def newsletter(buyer: Buyer) -> Case:
    page = f"<html><body><h1>SALE</h1><p>{greeting(buyer)} -20% </p></body></html>"
    return Case("newsletter", letter(buyer, "SALE", html=page), rules(buyer), kind="nothing")


def advertisement(buyer: Buyer) -> Case:
    """Names of standards and years are no articles and quantities."""
    text = f"{greeting(buyer)}\nISO9001 since 2010, MP3 in 24/7 and COVID19 2020, A4 in 500"
    return Case("advertisement", letter(buyer, "Our news", text), rules(buyer), kind="nothing")


def two_documents(buyer: Buyer) -> Case:
    other = buyer.order("-B")
    raw = letter(
        buyer,
        "!",
        greeting(buyer),
        files=(("1.xml", "text/xml", ubl(buyer)), ("2.xml", "text/xml", ubl(other))),
    )
    return Case("two-documents", raw, rules(buyer), form="ubl", orders=(_of_xml(buyer), _of_xml(other)))


FORMS: tuple[Callable[[Buyer], Case], ...] = (
    csv_attached, csv_of_own_words, csv_mapped, xlsx_mapped, xlsx_attached, ods_attached, zipped, zip_not_allowed, pdf_with_layout,
    pdf_of_strangers, pdf_locked, pdf_with_orderx, ubl_attached, json_ld, microdata, html_table, text_by_rules, text_of_strangers,
    text_relative, text_wrong_charset, ambiguous, forwarded, forwarded_whole, reply_changing, reply_removing, reply_of_words, carrier,
    carrier_json_ld, form_not_allowed, newsletter, advertisement, two_documents,
)  # fmt: skip


def corpus() -> Iterator[Case]:
    """Every form in every language."""
    for buyer in BUYERS:
        for n, form in enumerate(FORMS, 10):
            case = form(buyer.order(str(n)))
            yield replace(case, name=f"{buyer.language}-{case.name}")
