# One image for the API, the worker and the migrations; the command decides which it is.
# glibc (bookworm), not musl: Temporal's native core has no musl build.
ARG NODE_VERSION=24.21.0

FROM node:${NODE_VERSION}-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json ./
# As local/bootstrap.mjs installs: no install script is needed, so none runs.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:${NODE_VERSION}-bookworm-slim AS runtime
LABEL org.opencontainers.image.title="Alur" \
      org.opencontainers.image.description="Durable licensing for small businesses, on Temporal and PostgreSQL" \
      org.opencontainers.image.licenses="MIT"
# glibc would keep eight pools of memory for each processor; Temporal's core, with its threads, leaves all of them half empty.
ENV NODE_ENV=production \
    NODE_OPTIONS=--enable-source-maps \
    MALLOC_ARENA_MAX=2
WORKDIR /app
# Temporal's core reads the system's roots for TLS; the slim image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# Created here so that a named volume mounted over it belongs to the user that writes.
RUN mkdir -p /var/lib/alur/files && chown 1000:1000 /var/lib/alur/files
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The node user, by number: Kubernetes can tell only then that it is not root.
USER 1000:1000
EXPOSE 3000 9464
# The API's; a worker sets ALUR_HEALTH_PORT to its metrics port. Run with --init: the process is PID 1 otherwise.
ENV ALUR_HEALTH_PORT=3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.ALUR_HEALTH_PORT}/health/ready`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: SIGTERM reaches node itself, which drains and exits.
CMD ["node", "dist/api/main.js"]
