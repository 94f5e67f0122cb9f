"""A development emulator of MNS, OSS bucket configuration, ECS security groups and a small Cloud Config, over HTTP.

One process serves four ports: MNS, OSS, ECS and control. It exists so that unmodified SDKs can be run, broken and
watched on one machine; it keeps everything in memory and binds to loopback unless configured otherwise.
"""
