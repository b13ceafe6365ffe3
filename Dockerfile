# The production image: web server, worker and scheduler are the same image with different commands (compose.yaml).
FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements.txt /tmp/requirements.txt
RUN /venv/bin/pip install --quiet --require-hashes -r /tmp/requirements.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=segmentation_crm.settings STATIC_MANIFEST=1 VAR_DIR=/data
RUN useradd --create-home --uid 10001 crm && mkdir /data && chown crm:crm /data
COPY --from=build /venv /venv
WORKDIR /app
COPY . /app
RUN VAR_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/build
USER crm
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=8s --start-period=30s \
    CMD python -c "import urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/healthz', headers={'Host': 'localhost'}), timeout=6)"
CMD ["gunicorn", "segmentation_crm.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "2", "--threads", "8", "--timeout", "30", "--max-requests", "2000", \
     "--limit-request-line", "8190", "--no-control-socket", "--access-logfile", "-"]
