//! What policies see is what is.

use crate::support::run;
use crate::support::run::application;
use crate::support::scaling::fleet;

/// Requests follow each other so closely that batches change all the time and never empty.
#[test]
fn an_instance_that_never_rests_is_seen_as_busy() {
    let policy = "autoscaling_policy: {threshold: {max_queue_length: 1000, min_utilization: 0.9}}";
    let results = run(&fleet(policy, 16.0, &[]));
    let application = application(&results);
    assert!(!application.decisions.is_empty());
    for row in &application.decisions {
        assert!(!row.reason.contains("instances are busy"), "{row:?}");
    }
    assert_eq!(application.scaling.scale_downs, 0);
}
