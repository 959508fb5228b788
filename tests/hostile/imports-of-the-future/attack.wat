(component
  (import "wasi:http/outgoing-handler@0.2.0" (instance))
  (import "wasi:keyvalue/store@0.2.0-draft" (instance))
)
