//! The scripts: what changes the store, each in one act.

use std::sync::LazyLock;

/// A Lua script that Redis knows by its digest.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) source: String,
    pub(crate) digest: String,
}

macro_rules! scripts {
    ($($constant:ident = $name:literal;)+) => {
        $(pub(crate) static $constant: LazyLock<Script> = LazyLock::new(|| {
            Script::new($name, include_str!(concat!("scripts/", $name, ".lua")))
        });)+
    };
}

scripts! {
    ACKNOWLEDGE = "acknowledge";
    BROADCAST = "broadcast";
    FREEZE = "freeze";
    JOIN = "join";
    LEAVE = "leave";
    LOBBY = "lobby";
    LOCATE = "locate";
    MOVE = "move";
    NODES = "nodes";
    OCCUPANCY = "occupancy";
    PURGE = "purge";
    REGISTER = "register";
    RENEW = "renew";
    RESYNC = "resync";
    SEND = "send";
    SWEEP = "sweep";
    UPDATE = "update";
    WATCH = "watch";
    WRITE = "write";
}

impl Script {
    fn new(name: &'static str, own: &str) -> Self {
        let source = format!("{}{own}", include_str!("scripts/common.lua"));
        let digest = redis::Script::new(&source).get_hash().to_owned();
        Self { name, source, digest }
    }
}
