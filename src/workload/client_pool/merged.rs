//! The requests of all clients in the order of time; of those at the same moment, in the order of the clients.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use ebbflow_actors::SimTime;

use super::Part;
use super::client::{Client, Drawn, Requests};
use crate::ids::{ApplicationId, RequestId};
use crate::request::Attributes;
use crate::workload::entry::Entry;

/// Requests of a pool, numbered as they come. One of each client is known ahead.
#[derive(Debug)]
pub(in crate::workload) struct Merged {
    application: ApplicationId,
    clients: Vec<Ahead>,
    /// When the next request of a client arrives, and the client's place.
    order: BinaryHeap<Reverse<(SimTime, usize)>>,
    next_id: u64,
}

/// A client with its next request.
#[derive(Debug)]
struct Ahead {
    requests: Requests,
    attributes: Arc<Attributes>,
    next: Option<Drawn>,
}

impl Merged {
    pub(super) fn new(clients: Vec<Client>, part: Part, application: ApplicationId) -> Self {
        let open = |client: Client| {
            let attributes = client.attributes();
            let mut requests = client.requests(part);
            Ahead { next: requests.next(), requests, attributes }
        };
        let clients: Vec<Ahead> = clients.into_iter().map(open).collect();
        let first = |(client, place): (&Ahead, usize)| Some(Reverse((client.next?.arrival, place)));
        let order = clients.iter().zip(0..).filter_map(first).collect();
        Merged { application, clients, order, next_id: 0 }
    }
}

impl Iterator for Merged {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let Reverse((_, place)) = self.order.pop()?;
        let client = &mut self.clients[place];
        let Drawn { arrival, prompt_tokens, output_tokens } = client.next.take()?;
        client.next = client.requests.next();
        self.order.extend(client.next.map(|next| Reverse((next.arrival, place))));
        let id = RequestId(self.next_id);
        self.next_id += 1;
        Some(Entry {
            arrival,
            id,
            application: self.application,
            batch_size: 1,
            prompt_tokens,
            output_tokens,
            attributes: Some(client.attributes.clone()),
        })
    }
}
