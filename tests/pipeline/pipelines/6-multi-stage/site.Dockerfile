FROM debian:trixie-slim
WORKDIR /www
COPY index.html .
