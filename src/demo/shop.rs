//! The state that one lock guards: items, the orders that refer to them, and the idempotency keys
//! of the requests that placed those.

use std::collections::HashMap;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::response::Problem;
use super::table::{MAX_ROWS, SampleRow, SampleTable};

/// The items that a fresh service has, from id 1.
const SEED: [(&str, u32); 10] = [
    ("lamp", 2900),
    ("chair", 8900),
    ("table", 24_900),
    ("shelf", 7900),
    ("rug", 11_900),
    ("mirror", 4900),
    ("clock", 3500),
    ("vase", 1900),
    ("stool", 3900),
    ("desk", 19_900),
];

/// Items, orders and idempotency keys.
pub(super) struct Shop {
    pub items: SampleTable,
    pub orders: SampleTable,
    /// Live orders per item; an item without any is absent.
    ordered: HashMap<u64, u32>,
    keys: HashMap<Arc<[u8]>, Claim>,
}

/// The state of an idempotency key.
struct Claim {
    fingerprint: u128,
    /// `None` while the first request that brought the key is running.
    outcome: Option<Placed>,
}

/// Outcome of placing an order.
pub(super) type Placed = Result<SampleRow, Problem>;

impl Shop {
    /// A shop with its seeded items and no orders.
    pub fn new() -> Shop {
        let mut items = SampleTable::new("items");
        for (name, price_in_cents) in SEED {
            let members = [("name", json!(name)), ("price_in_cents", json!(price_in_cents))];
            // The seed is far from every bound.
            let _ = items.add(members.map(|(key, value)| (key.to_owned(), value)).into_iter().collect());
        }
        Shop { items, orders: SampleTable::new("orders"), ordered: HashMap::new(), keys: HashMap::new() }
    }

    /// Removes an item that no live order refers to.
    ///
    /// # Errors
    /// 409 when one does, 404 when there is no such item.
    pub fn remove_item(&mut self, id: u64) -> Result<(), Problem> {
        self.check_unordered(id)?;
        self.items.remove(id).map(drop).ok_or_else(|| no_item(id, StatusCode::NOT_FOUND))
    }

    /// Whether an item may go as far as orders are concerned.
    ///
    /// # Errors
    /// 409 when a live order refers to it.
    pub fn check_unordered(&self, id: u64) -> Result<(), Problem> {
        let Some(count) = self.ordered.get(&id) else {
            return Ok(());
        };
        let orders = if *count == 1 { "1 order refers".to_owned() } else { format!("{count} orders refer") };
        Err(Problem::new(StatusCode::CONFLICT, format!("{orders} to item {id}; delete them first.")))
    }

    /// Places an order for an item.
    ///
    /// # Errors
    /// 422 when there is no such item, 507 when there is no room.
    pub fn place(&mut self, item_id: u64) -> Placed {
        if self.items.get(item_id).is_none() {
            return Err(no_item(item_id, StatusCode::UNPROCESSABLE_ENTITY));
        }
        let order = self.orders.add(Map::from_iter([("item_id".to_owned(), item_id.into())]))?;
        *self.ordered.entry(item_id).or_default() += 1;
        Ok(order)
    }

    /// Removes an order, and lets go of its item.
    ///
    /// # Errors
    /// 404 when there is no such order.
    pub fn remove_order(&mut self, id: u64) -> Result<(), Problem> {
        let order = self.orders.remove(id).ok_or_else(|| no_order(id))?;
        let item_id = order.members()?.get("item_id").and_then(Value::as_u64).unwrap_or_default();
        if let Some(count) = self.ordered.get_mut(&item_id) {
            *count -= 1;
            if *count == 0 {
                self.ordered.remove(&item_id);
            }
        }
        Ok(())
    }

    /// Claims an idempotency key for a request with this fingerprint, as the IETF draft
    /// `draft-ietf-httpapi-idempotency-key-header` (§2.6) says. `Some` is the outcome to replay;
    /// after `None` the caller owns the key and must [`Shop::settle`] or [`Shop::abandon`] it.
    ///
    /// # Errors
    /// 409 while the first request is running, 422 when that one had another payload, 507.
    pub fn claim(&mut self, key: &Arc<[u8]>, fingerprint: u128) -> Result<Option<Placed>, Problem> {
        match self.keys.get(key) {
            Some(claim) if claim.fingerprint != fingerprint => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "This Idempotency-Key was used with another payload; take a new key.",
            )),
            Some(Claim { outcome: None, .. }) => Err(Problem::new(
                StatusCode::CONFLICT,
                "A request with this Idempotency-Key is still running; wait, then send it again.",
            )),
            Some(Claim { outcome, .. }) => Ok(outcome.clone()),
            None if self.keys.len() >= MAX_ROWS => Err(Problem::full("idempotency keys")),
            None => {
                self.keys.insert(Arc::clone(key), Claim { fingerprint, outcome: None });
                Ok(None)
            }
        }
    }

    /// Keeps the outcome for a claimed key, to be replayed.
    pub fn settle(&mut self, key: &[u8], outcome: &Placed) {
        if let Some(claim) = self.keys.get_mut(key) {
            claim.outcome = Some(outcome.clone());
        }
    }

    /// Releases a claimed key when its request ended without an outcome.
    pub fn abandon(&mut self, key: &[u8]) {
        if self.keys.get(key).is_some_and(|claim| claim.outcome.is_none()) {
            self.keys.remove(key);
        }
    }
}

/// The problem of an item that does not exist.
pub(super) fn no_item(id: u64, status: StatusCode) -> Problem {
    Problem::new(status, format!("There is no item {id}."))
}

/// The problem of an order that does not exist.
pub(super) fn no_order(id: u64) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("There is no order {id}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_stays_while_an_order_refers_to_it() {
        enum Step {
            Place(u64),
            RemoveOrder(u64),
            RemoveItem(u64),
        }
        use Step::{Place, RemoveItem, RemoveOrder};
        let steps = [
            (Place(3), 0),
            (Place(3), 0),
            (RemoveItem(3), 409),
            (RemoveOrder(1), 0),
            (RemoveItem(3), 409),
            (RemoveOrder(1), 404),
            (RemoveOrder(2), 0),
            (RemoveItem(3), 0),
            (RemoveItem(3), 404),
            (Place(3), 422),
            (RemoveItem(10), 0),
            (Place(0), 422),
        ];
        let mut shop = Shop::new();
        for (at, (step, expected)) in steps.into_iter().enumerate() {
            let result = match step {
                Place(item) => shop.place(item).map(drop),
                RemoveOrder(id) => shop.remove_order(id),
                RemoveItem(id) => shop.remove_item(id),
            };
            assert_eq!(result.err().map_or(0, |problem| problem.status.as_u16()), expected, "step {at}");
        }
    }

    #[test]
    fn an_idempotency_key_runs_then_replays_then_refuses_another_payload() {
        let key: Arc<[u8]> = Arc::from(&b"k"[..]);
        let status =
            |claimed: Result<Option<Placed>, Problem>| claimed.map_err(|problem| problem.status.as_u16());
        let mut shop = Shop::new();
        assert_eq!(status(shop.claim(&key, 1)), Ok(None));
        assert_eq!(status(shop.claim(&key, 1)), Err(409));
        assert_eq!(status(shop.claim(&key, 2)), Err(422));
        let outcome = shop.place(1);
        shop.settle(&key, &outcome);
        assert_eq!(status(shop.claim(&key, 1)), Ok(Some(outcome)));
        assert_eq!(status(shop.claim(&key, 2)), Err(422));
        shop.abandon(&key);
        assert_eq!(status(shop.claim(&key, 2)), Err(422));
    }

    #[test]
    fn keys_are_bounded() {
        let mut shop = Shop::new();
        let key = |n: usize| Arc::from(&n.to_le_bytes()[..]);
        for n in 0..MAX_ROWS {
            assert_eq!(shop.claim(&key(n), 1), Ok(None));
        }
        assert_eq!(shop.claim(&key(MAX_ROWS), 1).unwrap_err().status, StatusCode::INSUFFICIENT_STORAGE);
    }
}
