"""The questions to the GraphQL Admin API 2026-07, each checked against its published schema.

Sizes are chosen so that no question asks for more than the 1,000 points that one may cost: an object is a
point, a connection as many as it asks for. What does not fit is read by the questions for the rest.
"""

from __future__ import annotations

_MONEY = "{ shopMoney { amount currencyCode } }"
_MORE = "pageInfo { hasNextPage endCursor }"
_ADDRESS = "{ name firstName lastName company address1 address2 city province provinceCode zip country countryCodeV2 phone }"

_LINE = f"""
  id title variantTitle sku quantity currentQuantity requiresShipping isGiftCard
  variant {{ legacyResourceId }}
  originalUnitPriceSet {_MONEY}
  customAttributes {{ key value }}
  discountAllocations {{ allocatedAmountSet {_MONEY} }}
  taxLines {{ title rate priceSet {_MONEY} }}
"""

_FULFILLMENT_LINES = f"{_MORE} nodes {{ quantity lineItem {{ id sku }} }}"
_FULFILLMENT = """
  id legacyResourceId status displayStatus createdAt updatedAt deliveredAt
  location { legacyResourceId }
  trackingInfo { company number url }
"""

_REFUND_LINES = f"""{_MORE}
  nodes {{ quantity restockType lineItem {{ id sku }} subtotalSet {_MONEY} }}
"""
_REFUND = f"""
  id legacyResourceId createdAt processedAt note
  totalRefundedSet {_MONEY}
  refundShippingLines(first: 3) {{ nodes {{ subtotalAmountSet {_MONEY} }} }}
  transactions(first: 5) {{ nodes {{ id kind status parentTransaction {{ id }} }} }}
"""

_TRANSACTION = f"""
  id kind status gateway createdAt processedAt
  amountSet {_MONEY}
  parentTransaction {{ id }}
"""

MEMBERS = 3
"""How many fulfilments and refunds come with the order itself."""

ORDER = f"""
query Order($id: ID!) {{
  order(id: $id) {{
    id legacyResourceId name createdAt updatedAt processedAt cancelledAt cancelReason closedAt
    test sourceName currencyCode taxesIncluded displayFinancialStatus
    note poNumber tags discountCodes paymentGatewayNames customerLocale email phone
    customAttributes {{ key value }}
    paymentTerms {{ paymentTermsName paymentTermsType }}
    purchasingEntity {{ __typename }}
    customer {{
      legacyResourceId firstName lastName
      defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }}
    }}
    billingAddress {_ADDRESS}
    shippingAddress {_ADDRESS}
    subtotalPriceSet {_MONEY} currentSubtotalPriceSet {_MONEY}
    totalDiscountsSet {_MONEY} currentTotalDiscountsSet {_MONEY}
    totalTaxSet {_MONEY} currentTotalTaxSet {_MONEY}
    totalPriceSet {_MONEY} currentTotalPriceSet {_MONEY}
    totalShippingPriceSet {_MONEY} totalOutstandingSet {_MONEY}
    originalTotalDutiesSet {_MONEY} originalTotalAdditionalFeesSet {_MONEY}
    shippingLines(first: 5) {{
      nodes {{
        id title code originalPriceSet {_MONEY} discountedPriceSet {_MONEY}
        taxLines {{ title rate priceSet {_MONEY} }}
      }}
    }}
    transactions(first: 20) {{ {_TRANSACTION} }}
    lineItems(first: 25) {{ {_MORE} nodes {{ {_LINE} }} }}
    fulfillments(first: {MEMBERS}) {{ {_FULFILLMENT} fulfillmentLineItems(first: 15) {{ {_FULFILLMENT_LINES} }} }}
    refunds(first: {MEMBERS}) {{ {_REFUND} refundLineItems(first: 10) {{ {_REFUND_LINES} }} }}
  }}
}}
"""
"""One order, with its first lines, fulfilments and refunds."""

LINES = f"""
query Lines($id: ID!, $after: String) {{
  order(id: $id) {{ lineItems(first: 75, after: $after) {{ {_MORE} nodes {{ {_LINE} }} }} }}
}}
"""

MEMBER_IDS = """
query MemberIds($id: ID!) {
  order(id: $id) { fulfillments(first: 250) { id } refunds(first: 250) { id } }
}
"""

FULFILLMENT = f"""
query Fulfillment($id: ID!, $after: String) {{
  fulfillment(id: $id) {{
    {_FULFILLMENT} fulfillmentLineItems(first: 200, after: $after) {{ {_FULFILLMENT_LINES} }}
  }}
}}
"""

REFUND = f"""
query Refund($id: ID!, $after: String) {{
  refund(id: $id) {{
    {_REFUND} refundLineItems(first: 150, after: $after) {{ {_REFUND_LINES} }}
  }}
}}
"""

CHANGED = f"""
query Changed($query: String!, $after: String) {{
  orders(first: 100, after: $after, query: $query, sortKey: UPDATED_AT) {{ {_MORE} nodes {{ id updatedAt }} }}
}}
"""
"""The orders that changed, oldest change first; Shopify docs: search syntax `updated_at:>='…'`."""

ORDER_OF = """
query OrderOf($id: ID!) {
  node(id: $id) {
    ... on Fulfillment { order { legacyResourceId } }
    ... on Refund { order { legacyResourceId } }
    ... on OrderTransaction { paidOrder: order { legacyResourceId } }
  }
}
"""

RETURN = """
query Return($id: ID!) {
  return(id: $id) {
    id name status createdAt
    order { legacyResourceId }
    returnLineItems(first: 200) {
      nodes {
        quantity
        ... on ReturnLineItem { returnReasonNote returnReasonDefinition { handle name }
          fulfillmentLineItem { lineItem { id } } }
      }
    }
  }
}
"""

FULFILLMENT_ORDER = """
query FulfillmentOrder($id: ID!) {
  fulfillmentOrder(id: $id) {
    id orderId status requestStatus updatedAt fulfillBy
    assignedLocation { name location { legacyResourceId } }
    lineItems(first: 200) { nodes { totalQuantity lineItem { id } } }
  }
}
"""

SHOP = """
query Shop {
  shop { myshopifyDomain name currencyCode ianaTimezone }
  currentAppInstallation { accessScopes { handle } }
}
"""

SUBSCRIPTIONS = f"""
query Subscriptions($after: String) {{
  webhookSubscriptions(first: 100, after: $after) {{ {_MORE} nodes {{ id topic uri }} }}
}}
"""

SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $webhook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhook) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
"""

UNSUBSCRIBE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""

FULFILLED = """
query Fulfilled($id: ID!) {
  order(id: $id) {
    cancelledAt
    fulfillments(first: 100) { id legacyResourceId status trackingInfo { company number url } }
  }
}
"""
"""What has been shipped of an order, as far as Shopify knows."""

FULFILLED_LINES = """
query FulfilledLines($id: ID!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: 200, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { quantity lineItem { id } }
    }
  }
}
"""

OPEN = """
query Open($id: ID!, $after: String) {
  order(id: $id) {
    fulfillmentOrders(first: 5, after: $after, query: "status:open OR status:in_progress") {
      pageInfo { hasNextPage endCursor }
      nodes {
        id status supportedActions { action } assignedLocation { location { id } }
        lineItems(first: 60) {
          pageInfo { hasNextPage endCursor } nodes { id remainingQuantity lineItem { id } }
        }
      }
    }
  }
}
"""
"""What is still to be shipped of an order, by fulfillment order."""

OPEN_LINES = """
query OpenLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: 200, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { id remainingQuantity lineItem { id } }
    }
  }
}
"""

FULFILL = """
mutation Fulfill($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id legacyResourceId }
    userErrors { field message }
  }
}
"""

TRACK = """
mutation Track($id: ID!, $tracking: FulfillmentTrackingInput!, $notify: Boolean) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notify) {
    fulfillment { id legacyResourceId }
    userErrors { field message }
  }
}
"""

UNFULFILL = """
mutation Unfulfill($id: ID!) {
  fulfillmentCancel(id: $id) { fulfillment { id legacyResourceId } userErrors { field message } }
}
"""

CANCEL = """
mutation Cancel(
  $id: ID!, $reason: OrderCancelReason!, $restock: Boolean!, $refund: OrderCancelRefundMethodInput,
  $notify: Boolean, $note: String
) {
  orderCancel(
    orderId: $id, reason: $reason, restock: $restock, refundMethod: $refund, notifyCustomer: $notify, staffNote: $note
  ) {
    job { id }
    orderCancelUserErrors { field message code }
  }
}
"""
