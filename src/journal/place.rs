//! Reuses the allocations of evicted attempts for new ones.

use std::sync::Arc;

use crate::model::Attempt;

/// Moves the attempt into an `Arc`: that of the evicted `oldest` if it has no other owner.
pub fn shared(attempt: &mut Attempt, oldest: Option<Arc<Attempt>>) -> Arc<Attempt> {
    if let Some(mut oldest) = oldest
        && let Some(place) = Arc::get_mut(&mut oldest)
    {
        std::mem::swap(place, attempt);
        return oldest;
    }
    Arc::new(std::mem::take(attempt))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_attempt_gives_its_place_to_a_new_one_unless_somebody_looks_at_it() {
        let attempt = |id| Attempt { id, path: "/x".repeat(20).into(), ..Attempt::default() };
        let oldest = Arc::new(attempt(1));
        let place = Arc::as_ptr(&oldest);
        let second = shared(&mut attempt(2), Some(oldest));
        assert_eq!((Arc::as_ptr(&second), &*second), (place, &attempt(2)));
        let third = shared(&mut attempt(3), Some(Arc::clone(&second)));
        assert_eq!((&*second, &*third), (&attempt(2), &attempt(3)));
        assert_eq!(*shared(&mut attempt(4), None), attempt(4));
    }
}
