"""What must hold of the stack in containers, in the order in which it is tried. A case takes the project
and raises when it does not hold; FOUNDATION are those without which the rest means nothing."""
from cases_replicas import (case_deploy_by_the_old_compose, case_failed_deploy,
                            case_kill_9_of_a_backend, case_nginx_reload, case_rolling_replacement,
                            case_scale_to_three, case_scale_up_and_down)
from cases_secrets import case_secrets_from_files, case_tls
from cases_up import (case_backup_and_restore, case_client, case_down_and_up, case_hardening,
                      case_idle_memory, case_image_size, case_overrides,
                      case_overrides_by_compose_2, case_page, case_routes, case_services_lost,
                      case_template, case_up, case_webhook)

FOUNDATION = (case_template, case_up)
CASES = (case_template, case_up, case_overrides, case_routes, case_page, case_webhook,
         case_hardening, case_idle_memory, case_image_size, case_client,
         case_deploy_by_the_old_compose, case_down_and_up, case_overrides_by_compose_2,
         case_backup_and_restore, case_services_lost, case_scale_to_three, case_scale_up_and_down,
         case_kill_9_of_a_backend, case_rolling_replacement, case_failed_deploy, case_nginx_reload,
         case_tls, case_secrets_from_files)
