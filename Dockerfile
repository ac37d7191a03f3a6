# The gateway's image. test/deploy/ runs these very steps in a bare directory, so keep to instructions that it knows.

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# What .dockerignore lets through. Readable by everybody whatever the umask of the checkout, writable by nobody.
FROM node:24.21.0-bookworm-slim AS sources
WORKDIR /app
COPY . .
RUN chmod -R a+rX,a-w .

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 SLUICE_DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=sources /app ./
# Only the built-in database writes, and only there; without DATABASE_URL mount a volume on it.
RUN mkdir /data && chown 1000:1000 /data
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
EXPOSE 4000
# That it lives, not that it is ready: an instance that waits for its database must not be restarted for that.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health', { signal: AbortSignal.timeout(4000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/sluice.js"]
CMD ["start"]
