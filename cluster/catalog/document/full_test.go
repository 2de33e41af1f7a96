package document

// full uses every key of the format.
const full = `
owner: acme
x-defaults: &mirrors
  failover_registries: [docker.io]
organizations:
  - name: acme
    description: |
      Makers of rockets.
      Since 1949.
    website: https://acme.org
    billing_email: bills@acme.org
    variable_overrides: {build: version, "os: name": platform}
  - name: beep
users:
  - name: wile
    operator: true
packages:
  - name: rocket
    type: docker
    id: rocket-1
    short_description: "A rocket: fast"
    long_description: text
    website: https://acme.org/rocket
    backend_registry: ghcr.io
    repository_name: acme/rocket-skates
    public_name: rocket/skates
    <<: *mirrors
    always_proxy: true
    plain_http: true
    allow_private_pulls: true
    token_host: auth.acme.org
    domains: [Get.Acme.org., img.acme.org]
  - {name: plain, type: docker, backend_registry: docker.io}
  - {name: other/plain, type: docker, backend_registry: docker.io}
  - name: rocket-cli
    type: file
    domains: [get.acme.org, dl.acme.org]
    routes:
      - incoming_path: /dl/{version}/{platform}.tgz
        outgoing_url: https://origin.example/releases/{version}/{platform}.tgz
        failover_origins: ["https://mirror.example/{version}/{platform}.tgz"]
        redirect_status: 307
        domain: dl.acme.org
      - {incoming_path: "/x/(?P<version>[0-9]+)", kind: regexp, outgoing_url: "https://origin.example/x/{version}"}
      - {incoming_path: /docs/*, kind: catch-all, outgoing_url: https://docs.example/*}
      - incoming_path: /count
        outgoing_url: null
  - {name: one, type: file, incoming_path: "/one/{version}", outgoing_url: "https://origin.example/{version}", redirect_status: 301}
  - name: Rocket.Py
    type: python
    repository_url: https://pypi.org/simple/
    failover_indexes: [https://mirror.example/simple/]
  - name: wheels
    type: python
    project: acme-wheels
    domains: [get.acme.org]
    files:
      - file_name: acme_wheels-1.0-py3-none-any.whl
        version: 1.0
        url: https://origin.example/acme_wheels-1.0-py3-none-any.whl
        hash_type: sha256
        hash: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
        gpg_sig: false
        requires_python: ">=3.9"
        domain: get.acme.org
  - name: telemetry
    type: event
    incoming_path: /events/{channel}
    access_tokens: [secret]
    token_hashes: [e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855]
  - {name: closed, type: event, incoming_path: /closed, access_tokens: []}
  - {name: open, type: event, incoming_path: /open}
  - {name: launcher, type: npm}
  - {name: launcher, type: hackage}
domains:
  - {name: later.acme.org, state: pending}
  - {owner: beep, name: beep.example}
pixels:
  - {name: home, id: px-1, package: docker/rocket, domains: [px.acme.org]}
  - {name: readme, package: rocket-cli}
  - {name: lonely}
collections:
  - {id: all, pattern: "acme/{a, b}/**", public_domain: img.acme.org, backend_domain: quay.io, type: docker, always_proxy: true, plain_http: true, allow_private_pulls: true}
  - {pattern: "tools/*", backend_domain: quay.io}
`
