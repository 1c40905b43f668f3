//! Other programs' keys, in small letters and digits alone, with the advice for each.

use super::Say;

pub type WordTable = &'static [(&'static [&'static str], Say)];

pub const RULE_WORDS: WordTable = &[
    (
        &[
            "probability",
            "prob",
            "chance",
            "toxicity",
            "failurerate",
            "errorrate",
            "faultrate",
            "conflictrate",
            "blastradius",
            "impact",
            "errorprobability",
            "failureprobability",
            "ratio",
            "share",
            "odds",
            "likelihood",
            "samplerate",
        ],
        Say::Share,
    ),
    (&["percentage", "percent", "pct", "failurepercentage", "errorpercentage"], Say::Percent),
    (
        &[
            "times",
            "count",
            "repeat",
            "maxtimes",
            "failures",
            "failcount",
            "failtimes",
            "failfirst",
            "remainingtimes",
            "uptontimes",
            "failrequestcount",
            "n",
            "requestcount",
            "once",
            "numberoftimes",
        ],
        Say::Count("write `first = ", "`: so many of each key; `limit` bounds them in all"),
    ),
    (&["nth", "interval", "everynth", "modulo"], Say::Count("write `every = ", "`")),
    (&["sequence", "series"], Say::Plain("by position is `pattern`: write `pattern = \"..xx.\"`")),
    (&["throttle", "ratelimit", "rps", "qps", "requestspersecond", "maxrate", "quota"], Say::Rate),
    (
        &["ttl", "timetolive", "duration", "window", "until", "schedule", "startafter", "startdelay"],
        Say::Plain("when a rule is awake is `during`: write `during = { for = \"10s\" }`"),
    ),
    (&["maxinjections", "maxfires", "maxfaults", "maxconflicts", "max"], Say::Count("write `limit = ", "`")),
    (
        &["key", "groupby", "scope", "countby", "keyby", "partitionby", "perkey"],
        Say::Plain("what is counted per is `per`: write `per = \"path\"`"),
    ),
    (
        &["type", "conflict", "situation", "error", "conflicttype", "errortype"],
        Say::Plain("the situation is `kind`: write `kind = \"version\"`"),
    ),
    (
        &["fault", "faults", "faulttype", "toxic", "toxics", "attributes"],
        Say::Plain(
            "a lost answer is `phase = \"lost\"`, a late one `pass = { delay = \"1s\" }`, a status `reply = { status = 503 }`",
        ),
    ),
    (
        &["bandwidth", "slow", "slicer", "throughput"],
        Say::Plain(
            "a slow answer is `pass = { rate = \"4 KiB/s\" }`, a late one `pass = { delay = \"800ms\" }`",
        ),
    ),
    (
        &["truncate", "limitdata", "cutoff", "slowclose"],
        Say::Plain(
            "an answer that breaks off is `pass = { cut = \"1 KiB\" }`, one that never comes `phase = \"lost\"`",
        ),
    ),
    (
        &["errors", "errorresponses", "mocks"],
        Say::Plain("a rule has one answer, `reply = { status = 503 }`: for several write a `[[rule]]` each"),
    ),
    (
        &["stream", "direction", "upstream", "downstream", "listen", "proxypass"],
        Say::Plain(
            "a rule refuses requests, and all go to the `upstream` at the top of the file: leave it out",
        ),
    ),
    (
        &["protocol", "scheme", "port", "listenport"],
        Say::Plain("a rule is about every request to this proxy: leave it out; `host` tells hosts apart"),
    ),
    (
        &[
            "modifyheaders",
            "modifybody",
            "mapremote",
            "maplocal",
            "setheader",
            "rewrite",
            "replace",
            "transform",
        ],
        Say::Plain("no rule changes what passes: a refusal's own words are in `reply`"),
    ),
    (
        &["operationid", "operation", "specification"],
        Say::Plain(
            "an operation is its method and path: write `method = \"PUT\"` and `path = \"/items/{id}\"`",
        ),
    ),
    (
        &[
            "rule",
            "expression",
            "condition",
            "flowfilter",
            "filterexpression",
            "acl",
            "selector",
            "queryfilter",
        ],
        Say::Plain("each condition is a key: write `method = \"PUT\"` and `path = \"/items/**\"`"),
    ),
    (
        &[
            "request",
            "httprequest",
            "match",
            "matches",
            "matcher",
            "when",
            "given",
            "predicates",
            "conditions",
            "filter",
        ],
        Say::Plain("its keys stand in the rule itself: `method`, `path`, `header`, `query`, `body`"),
    ),
    (
        &[
            "response",
            "responses",
            "httpresponse",
            "respond",
            "answer",
            "returns",
            "return",
            "then",
            "action",
            "abort",
            "deny",
            "reject",
            "willrespondwith",
        ],
        Say::Plain("what a client is told is `reply`: write `reply = { status = 409 }`"),
    ),
    (
        &["status", "statuscode", "code", "httpstatus", "responsecode", "responsestatus", "errorcode"],
        Say::Status,
    ),
    (
        &["responseheaders", "replyheaders", "setheaders", "addheaders"],
        Say::Plain("belongs in `reply`: write `reply = { headers = { … } }`"),
    ),
    (&["requestheaders", "headerpatterns"], Say::Plain("write `header = { x-tenant = \"acme\" }`")),
    (&["requestbody", "bodypatterns", "bodypattern"], Say::Plain("write `body = { \"/name\" = \"value\" }`")),
    (&["headers"], Say::Plain("of requests `header = { … }`, of the answer `reply = { headers = { … } }`")),
    (
        &["jsonbody", "responsebody", "content", "payload", "data", "message", "json"],
        Say::Plain(
            "the answer's text is `reply = { body = '…' }`, a field of requests `body = { \"/name\" = … }`",
        ),
    ),
    (
        &[
            "formdata",
            "formparams",
            "formparameters",
            "formfields",
            "multipart",
            "multipartpatterns",
            "urlencoded",
        ],
        Say::Plain("a field of a form is `form`: write `form = { grant_type = \"password\" }`"),
    ),
    (
        &["bodycontains", "bodytext", "bodyregex", "xpath", "matchesxpath", "rawbody"],
        Say::Plain("a body as text is `text`: write `text = \"*locked*\"`"),
    ),
    (
        &["graphql", "operationname", "graphqloperation"],
        Say::Plain(
            "a GraphQL operation is a field of the body: write `body = { \"/operationName\" = \"Save\" }`",
        ),
    ),
    (
        &[
            "delay",
            "latency",
            "delayms",
            "fixeddelaymilliseconds",
            "fixeddelay",
            "wait",
            "sleep",
            "responsedelay",
        ],
        Say::Delay("belongs in `reply`: write `reply = { delay = ", " }`"),
    ),
    (
        &["contenttype"],
        Say::Plain("belongs in `reply`: write `reply = { headers = { content-type = \"…\" } }`"),
    ),
    (
        &["id", "title", "description", "label", "rulename", "comment"],
        Say::Plain("a rule's word is `name`; a text of your own is a comment: `# …`"),
    ),
    (&["disabled", "disable", "skip", "active"], Say::Plain("write `enabled = false`")),
    (
        &["priority", "order", "precedence", "weight"],
        Say::Plain("rules are tried in the file's order: move this one up or down"),
    ),
    (
        &[
            "scenario",
            "scenarioname",
            "requiredscenariostate",
            "newscenariostate",
            "state",
            "transitionsstate",
            "requiresstate",
            "providerstate",
            "providerstates",
        ],
        Say::Plain("what follows on what is said by `pattern`, `clear` or `on`"),
    ),
];

pub const MATCH_WORDS: WordTable = &[
    (&["methods", "verb", "verbs", "httpmethod", "httpmethods"], Say::Text("write `method = ", "`")),
    (
        &[
            "url",
            "urls",
            "uri",
            "urlpath",
            "urlpattern",
            "urlpathpattern",
            "urlpathtemplate",
            "endpoint",
            "route",
            "resource",
            "location",
            "paths",
            "handle",
            "pathname",
            "pathpattern",
            "target",
        ],
        Say::Path,
    ),
    (&["prefix", "pathprefix"], Say::Prefix),
    (&["regex", "regexp", "urlregex", "saferegex"], Say::Text("write `path_regex = ", "`")),
    (
        &[
            "queryparameters",
            "queryparams",
            "params",
            "querystring",
            "queries",
            "querystringparameters",
            "args",
        ],
        Say::Plain("write `query = { name = \"value\" }`"),
    ),
    (
        &["ip", "ips", "remoteaddr", "remoteip", "source", "sourceip", "clientip", "cidr", "address", "peer"],
        Say::Text("write `client = ", "`"),
    ),
    (
        &["domain", "domains", "hostname", "authority", "server", "destination"],
        Say::Text("write `host = ", "`"),
    ),
];

/// Other words for a delay.
const LATE: &[&str] = &["latency", "delayms", "fixeddelaymilliseconds", "fixeddelay", "wait", "sleep"];

pub const REPLY_WORDS: WordTable = &[
    (&["statuscode", "code", "httpstatus", "responsecode"], Say::Count("write `status = ", "`")),
    (
        &["content", "text", "json", "jsonbody", "payload", "message", "data", "responsebody"],
        Say::Plain("the answer's text is `body`: write `body = '{\"error\":\"conflict\"}'`"),
    ),
    (&["file", "bodyfilename", "filename"], Say::Text("write `body_file = ", "`")),
    (LATE, Say::Delay("write `delay = ", "`")),
    (&["contenttype", "mimetype"], Say::Text("write `headers = { content-type = ", " }`")),
    (
        &["format", "type", "template", "shape"],
        Say::Plain("whose words it speaks is `style`: write `style = \"json\"`"),
    ),
];

pub const EXPECT_WORDS: WordTable = &[
    (&["retries", "maxretries", "retrycount", "maxretry"], Say::Retries),
    (&["maxattempts", "attempts", "tries", "maxtry"], Say::Count("write `max_tries = ", "`")),
    (&["mindelay", "minwait", "interval", "mininterval"], Say::Plain("write `min_gap = \"100ms\"`")),
    (&["success", "successrate", "succeeded", "recovery"], Say::Plain("write `recovered = 1.0`")),
    (&["exponential", "exponentialbackoff"], Say::Plain("write `backoff = true`")),
    (&["reread", "fresh"], Say::Plain("write `refetch = true`")),
    (&["idempotencykey", "idempotent"], Say::Plain("write `same_key = true`")),
];

pub const TLS_WORDS: WordTable = &[
    (
        &["certificate", "certfile", "certificatefile", "crt", "pem", "sslcertificate", "certpath"],
        Say::Text("write `cert = ", "`"),
    ),
    (&["privatekey", "keyfile", "sslcertificatekey", "keypath", "certkey"], Say::Text("write `key = ", "`")),
    (
        &["verify", "sslverify", "rejectunauthorized"],
        Say::Plain("write `insecure = true` below `[upstream_tls]`"),
    ),
    (&["cafile", "cabundle", "cacert", "rootca"], Say::Text("write `ca = ", "` below `[upstream_tls]`")),
];

pub const TOP_WORDS: WordTable = &[
    (
        &["urlstowatch", "hosts", "domains"],
        Say::Plain(
            "every request to this proxy is looked at: leave it out; a rule's `host` and `path` tell which it is about",
        ),
    ),
    (
        &[
            "imposters",
            "services",
            "proxies",
            "plugins",
            "filters",
            "virtualhosts",
            "http",
            "frontend",
            "config",
        ],
        Say::Plain("a rule is a `[[rule]]`: `fracas init` writes some to begin with"),
    ),
    (
        &["insecure", "sslverify", "verify", "rejectunauthorized"],
        Say::Plain("write `insecure = true` below `[upstream_tls]`"),
    ),
    (&["reply", "response"], Say::Plain("belongs in a rule: write `[rule.reply]` behind its `[[rule]]`")),
    (
        &["match", "request"],
        Say::Plain("its keys stand in a rule: `[[rule]]`, then `method`, `path`, `header` and so on"),
    ),
    (
        &["port", "address", "bind", "addr", "listenaddr", "listenaddress", "proxyport", "listenport"],
        Say::Plain("where clients connect is `listen`: write `listen = \"127.0.0.1:4090\"`"),
    ),
    (
        &[
            "target",
            "backend",
            "proxypass",
            "proxyto",
            "baseurl",
            "origin",
            "forward",
            "server",
            "destination",
            "url",
            "proxybaseurl",
        ],
        Say::Text("where requests go is `upstream`: write `upstream = ", "`"),
    ),
    (&["threads"], Say::Count("write `workers = ", "`")),
    (&["randomseed", "rngseed", "random"], Say::Count("write `seed = ", "`")),
];

pub const PASS_WORDS: WordTable = &[
    (LATE, Say::Delay("write `delay = ", "`")),
    (
        &["bandwidth", "throttle", "slow", "throughput", "bytespersecond"],
        Say::Plain("bytes per second are `rate`: write `rate = \"4 KiB/s\"`"),
    ),
    (
        &["truncate", "limitdata", "cutoff", "close", "closeafter", "bytes"],
        Say::Plain("the end of the connection within the body is `cut`: write `cut = \"1 KiB\"`"),
    ),
    (&["pause", "hang", "freeze", "timeout"], Say::Delay("write `stall = ", "`")),
];
